// Fetches what the page is built with, as package-lock.json says, into page/node_modules, unless it is there.
//
// Invariant: node_modules is whole or not there: it is made in another folder and renamed. Of several builds at once one
// fetches, and the others wait for it.
import {spawnSync} from "node:child_process";
import {cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync} from "node:fs";
import {dirname, join} from "node:path";
import {fileURLToPath} from "node:url";

const LONGEST_WAIT = 300e3;
const HERE = dirname(fileURLToPath(import.meta.url));
const MODULES = join(HERE, "node_modules");
const STAMP = "package-lock.json.installed";
const BUSY = join(HERE, ".installing");

function isThere() {
    const stamp = join(MODULES, STAMP);
    return existsSync(stamp) && readFileSync(stamp, "utf8") === readFileSync(join(HERE, "package-lock.json"), "utf8");
}

function fetchModules() {
    const place = join(BUSY, "new");
    mkdirSync(place);
    for (const name of ["package.json", "package-lock.json"])
        cpSync(join(HERE, name), join(place, name));
    const options = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--fetch-retries=1",
        "--fetch-retry-mintimeout=1000", "--fetch-timeout=60000"];
    const done = spawnSync("npm", ["ci", ...options], {cwd: place, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"]});
    if (done.status !== 0)
        throw new Error((done.stderr || String(done.error)).split("\n").find(line => line.trim()) ?? "npm failed");
    cpSync(join(place, "package-lock.json"), join(place, "node_modules", STAMP));
    if (existsSync(MODULES))
        renameSync(MODULES, join(BUSY, "old"));
    renameSync(join(place, "node_modules"), MODULES);
}

// Makes the folder that says somebody fetches; false where somebody does. One who was killed is forgotten.
function begin() {
    try {
        mkdirSync(BUSY);
        return true;
    } catch (error) {
        if (error.code !== "EEXIST")
            throw error;
        const since = statSync(BUSY, {throwIfNoEntry: false})?.mtimeMs ?? 0;
        if (since && Date.now() - since > LONGEST_WAIT)
            rmSync(BUSY, {recursive: true, force: true});
        return false;
    }
}

const until = Date.now() + 2 * LONGEST_WAIT;
while (!isThere()) {
    if (begin()) {
        try {
            if (!isThere())
                fetchModules();
        } catch (error) {
            console.error(error.message);
            process.exitCode = 1;
        } finally {
            rmSync(BUSY, {recursive: true, force: true});
        }
        break;
    }
    if (Date.now() > until) {
        console.error(`${BUSY} is in the way`);
        process.exitCode = 1;
        break;
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
}
