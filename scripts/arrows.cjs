/**
 * Which way the arrows go, as rules for dependency-cruiser. The picture is in docs/architecture.md.
 *
 * A package imports another through its published entry points only, so that what works here works for a
 * stranger who installed the package.
 */

/** Package -> the workspace packages that its sources may import. */
const arrows = {
  elf: [],
  "x86-asm": [],
  "kvm-bindings": [],
  "guest-kernel": ["x86-asm"],
  hypervisor: ["elf", "guest-kernel", "kvm-bindings", "x86-cpu"],
  "x86-cpu": [],
  cli: ["hypervisor", "guest-kernel", "x86-asm", "elf"],
};

const source = (name) => `^packages/${name}/src/`;
const tests = "[.](test|test-d|test[.]helper)[.]ts$|/(bench|testdata|scripts)/";

const packageRules = Object.entries(arrows).map(([name, allowed]) => ({
  name: `arrows-of-${name}`,
  comment: `${name} may import ${allowed.join(", ") || "no other package"}`,
  severity: "error",
  from: { path: source(name), pathNot: tests },
  to: { path: "^packages/([^/]+)/", pathNot: [name, ...allowed].map((p) => `^packages/${p}/`) },
}));

const deepImportRules = Object.keys(arrows).map((name) => ({
  name: `no-deep-import-from-${name}`,
  comment: "other packages are imported by their published entry points",
  severity: "error",
  from: { path: source(name) },
  to: { path: "^packages/[^/]+/src/", pathNot: `^packages/${name}/` },
}));

/** These run in a browser: hypervisor outside `node/` and its KVM adapter, and everything below it. */
const browserRules = [
  {
    name: "no-node-modules-in-browser-code",
    severity: "error",
    from: {
      path: "^packages/(elf|x86-asm|x86-cpu|guest-kernel|hypervisor)/src/",
      pathNot: `${tests}|^packages/hypervisor/src/(node|accelerators/kvm)`,
    },
    to: { dependencyTypes: ["core"] },
  },
];

const adapterRules = [
  {
    name: "bindings-only-from-their-adapter",
    severity: "error",
    from: {
      path: source("hypervisor"),
      pathNot: `${tests}|^packages/hypervisor/src/(node/|accelerators/kvm)`,
    },
    to: { path: "^packages/kvm-bindings/" },
  },
  {
    name: "software-cpu-only-from-its-adapter",
    severity: "error",
    from: { path: source("hypervisor"), pathNot: `${tests}|^packages/hypervisor/src/accelerators/soft` },
    to: { path: "^packages/x86-cpu/" },
  },
  {
    name: "only-the-abi-of-guest-kernel",
    comment: "hypervisor reads guest-kernel/abi, never the kernel itself",
    severity: "error",
    from: { path: source("hypervisor"), pathNot: tests },
    to: { path: "^packages/guest-kernel/", pathNot: "^packages/guest-kernel/dist/abi/" },
  },
];

module.exports = {
  forbidden: [
    ...packageRules,
    ...deepImportRules,
    ...browserRules,
    ...adapterRules,
    {
      name: "no-cycles",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "resolvable",
      comment: "a benchmark's peers are installed where it runs, if they can be",
      severity: "error",
      from: { pathNot: "^packages/[^/]+/bench/" },
      to: { couldNotResolve: true },
    },
    {
      name: "examples-are-strangers",
      severity: "error",
      from: { path: "^examples/" },
      to: { path: "^packages/[^/]+/src/" },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.base.json" },
    doNotFollow: { path: "node_modules|/dist/" },
    exclude: { path: "(^|/)(dist|build|coverage|node_modules/(?!@kvmkit))/" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "default", "types"] },
  },
};
