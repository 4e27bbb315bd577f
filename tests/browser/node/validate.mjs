// Reads one page a line, as a JSON string, and answers each by one line: a JSON string with the
// sentences of the HTML standard that the page breaks, empty where it is valid.

import { createInterface } from "node:readline";
import { HtmlValidate, StaticConfigLoader, formatterFactory } from "html-validate";

const loader = new StaticConfigLoader({ root: true, extends: ["html-validate:standard"] });
const validator = new HtmlValidate(loader);
const written = formatterFactory("codeframe");
for await (const line of createInterface({ input: process.stdin })) {
  const report = await validator.validateString(JSON.parse(line));
  process.stdout.write(`${JSON.stringify(report.valid ? "" : written(report.results))}\n`);
}
