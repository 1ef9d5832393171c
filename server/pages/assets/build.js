// Builds ../static from css/, js/ and the packages of package-lock.json: `make assets`.
// Every file that is loaded is listed with its SHA-256 in manifest.json, and every package in licences.txt.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const out = "../static";
rmSync(out, { recursive: true, force: true });
mkdirSync(out);

const made = await build({
  // One script for each group of pages: it loads what it needs.
  entryPoints: [...readdirSync("js").filter((name) => name.endsWith(".js")).map((name) => `js/${name}`), "css/style.css"],
  outdir: out, entryNames: "[name]", bundle: true, minify: true, format: "esm", target: "es2022",
  legalComments: "none", metafile: true, logLevel: "warning", loader: { ".svg": "copy" },
});
writeFileSync(`${out}/icon.svg`, readFileSync("icon.svg"));

const packages = new Set();
for (const input of Object.keys(made.metafile.inputs)) {
  const found = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
  if (found) packages.add(found[1]);
}
const licences = [...packages].sort().map((name) => {
  const about = JSON.parse(readFileSync(`node_modules/${name}/package.json`));
  const file = readdirSync(`node_modules/${name}`).find((each) => /^licen[cs]e/i.test(each));
  const text = file ? readFileSync(`node_modules/${name}/${file}`, "utf8") : "";
  return `${name} ${about.version} (${about.license})\n\n${text.trim()}\n`;
});
writeFileSync(`${out}/licences.txt`, licences.join("\n----\n\n"));

const manifest = {};
for (const name of readdirSync(out).sort()) {
  const content = readFileSync(`${out}/${name}`);
  manifest[name] = createHash("sha256").update(content).digest("hex");
  const packed = gzipSync(content, { level: 9 }).length;
  console.log(`${name.padEnd(20)} ${String(content.length).padStart(8)} bytes, ${String(packed).padStart(7)} gzipped`);
}
writeFileSync(`${out}/manifest.json`, `${JSON.stringify(manifest, null, 1)}\n`);
