// Builds the page: node build.mjs FOLDER writes FOLDER/page.html (script and style inline) and FOLDER/page.c (the same as C).
//
// Invariant: what is written depends on the sources alone, and a file is whole or not there, however many builds run at once.
import {createHash} from "node:crypto";
import {mkdirSync, readFileSync, renameSync, writeFileSync} from "node:fs";
import {dirname, join} from "node:path";
import {fileURLToPath} from "node:url";
import {gzipSync} from "node:zlib";
import {build} from "esbuild";

const MOST_COMPRESSED = 200 * 1024;
const HERE = dirname(fileURLToPath(import.meta.url));
const HEAD = "/* Made by page/build.mjs from page/src. */\n#include \"page.h\"\n\n";

async function bundle() {
    const made = await build({
        absWorkingDir: HERE, entryPoints: ["src/main.ts"], bundle: true, minify: true, write: false, outdir: "out",
        format: "iife", target: "es2021", charset: "ascii", legalComments: "none", loader: {".html": "text"},
    });
    const text = ending => made.outputFiles.find(file => file.path.endsWith(ending)).text.trim();
    return {script: text(".js"), style: text(".css")};
}

function hashOf(text) {
    return "'sha256-" + createHash("sha256").update(text, "utf8").digest("base64") + "'";
}

// What the page may do: run itself, ask who sent it, draw. Nothing else, whatever a document smuggles in.
function policyOf(script, style) {
    return ["default-src 'none'", `script-src ${hashOf(script)}`, `style-src ${hashOf(style)}`, "connect-src 'self'",
        "img-src data: blob:", "base-uri 'none'", "form-action 'none'"].join("; ");
}

function pageOf(script, style, policy) {
    if (/<\/(script|style)|<!--/i.test(script + style))
        throw new Error("the script or the style holds what would end its element");
    const parts = {"/*STYLE*/": style, "/*SCRIPT*/": script, "POLICY": policy};
    const template = readFileSync(join(HERE, "src/index.html"), "utf8");
    return template.replace(/\/\*STYLE\*\/|\/\*SCRIPT\*\/|POLICY/g, place => parts[place]);
}

function sourceOf(page, policy) {
    const lines = [];
    for (let i = 0; i < page.length; i += 40)
        lines.push(page.subarray(i, i + 40).join(","));
    // A header may forbid being framed, an element may not.
    return `${HEAD}const unsigned char page_html[] = {\n${lines.join(",\n")}};\n` +
        "const size_t page_html_length = sizeof page_html;\n" +
        `const char page_policy[] =\n    "${policy}; frame-ancestors 'none'";\n`;
}

function write(path, data) {
    writeFileSync(path + "." + process.pid, data);
    renameSync(path + "." + process.pid, path);
}

const folder = process.argv[2];
if (!folder) {
    console.error("usage: node build.mjs FOLDER");
    process.exit(2);
}
const {script, style} = await bundle();
const policy = policyOf(script, style);
const page = Buffer.from(pageOf(script, style, policy), "utf8");
const compressed = gzipSync(page, {level: 9}).length;
if (compressed > MOST_COMPRESSED)
    throw new Error(`the page has ${compressed} bytes compressed, over ${MOST_COMPRESSED}`);
mkdirSync(folder, {recursive: true});
write(join(folder, "page.html"), page);
write(join(folder, "page.c"), sourceOf(page, policy));
console.log(`page.html: ${page.length} bytes, ${compressed} compressed`);
