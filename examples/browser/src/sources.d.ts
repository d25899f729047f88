/** Assembly sources become strings when the page is bundled. */
declare module "*.s" {
  const text: string;
  export default text;
}
