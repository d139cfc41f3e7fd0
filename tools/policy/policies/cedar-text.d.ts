/** A policy file, imported as its text. */
declare module "*.cedar" {
  const text: string;
  export default text;
}
