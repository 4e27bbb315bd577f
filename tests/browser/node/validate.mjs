// Reads a page on standard input, and prints each sentence of the HTML standard that it breaks.

import { text } from "node:stream/consumers";
import { HtmlValidate, StaticConfigLoader, formatterFactory } from "html-validate";

const loader = new StaticConfigLoader({ root: true, extends: ["html-validate:standard"] });
const report = await new HtmlValidate(loader).validateString(await text(process.stdin));
process.stdout.write(formatterFactory("codeframe")(report.results));
process.exitCode = report.valid ? 0 : 1;
