/*
 * Reference counts, and a table from ids to live objects.
 *
 * The table holds no reference: an object leaves it in the same critical section in which its last reference goes,
 * so that a lookup never finds one that is being destroyed.
 */
#include <pthread.h>

#include "kvmkit.h"

enum { BUCKETS = 1024 };

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static struct kvmkit_object *table[BUCKETS];
static uint64_t next_id = 1;

void kvmkit_object_init(struct kvmkit_object *object, enum kvmkit_type type,
                        void (*destroy)(struct kvmkit_object *)) {
  object->type = type;
  object->references = 1;
  object->destroy = destroy;
  pthread_mutex_lock(&table_lock);
  object->id = next_id++;
  struct kvmkit_object **bucket = &table[object->id % BUCKETS];
  object->next_in_bucket = *bucket;
  *bucket = object;
  pthread_mutex_unlock(&table_lock);
}

void kvmkit_object_ref(struct kvmkit_object *object) {
  __atomic_add_fetch(&object->references, 1, __ATOMIC_RELAXED);
}

static void leave_table(struct kvmkit_object *object) {
  struct kvmkit_object **link = &table[object->id % BUCKETS];
  while (*link != object) link = &(*link)->next_in_bucket;
  *link = object->next_in_bucket;
}

void kvmkit_object_unref(struct kvmkit_object *object) {
  pthread_mutex_lock(&table_lock);
  int left = __atomic_sub_fetch(&object->references, 1, __ATOMIC_ACQ_REL);
  if (left == 0) leave_table(object);
  pthread_mutex_unlock(&table_lock);
  if (left == 0) object->destroy(object);
}

struct kvmkit_object *kvmkit_object_find(uint64_t id, unsigned types) {
  pthread_mutex_lock(&table_lock);
  struct kvmkit_object *object = table[id % BUCKETS];
  while (object && object->id != id) object = object->next_in_bucket;
  if (object && !(object->type & types)) object = NULL;
  if (object) kvmkit_object_ref(object);
  pthread_mutex_unlock(&table_lock);
  return object;
}
