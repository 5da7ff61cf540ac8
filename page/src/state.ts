// What is looked at, kept in the address behind '#', so that it can be sent.
import type {At} from "./documents";

export type Panel = "all" | "walk" | "network" | "answers" | "recipe";
export const PANELS: Panel[] = ["all", "walk", "network", "answers", "recipe"];

export interface Look {
    panel: Panel;
    at: At;
    x: string | null;
    y: string | null;
    log: boolean | null;
    part: string | null;
    layer: string | null;
    /** Which runs are drawn, by their place; null: all. */
    run: number[] | null;
}

type Watcher = (look: Look, changed: Set<keyof Look>) => void;

const watchers: Watcher[] = [];
export let look: Look = read();

function read(): Look {
    const said = new URLSearchParams(location.hash.slice(1));
    const at = said.get("at");
    const panel = said.get("panel") as Panel;
    const run = said.get("run");
    return {
        panel: PANELS.includes(panel) ? panel : "all",
        at: at !== null && /^\d+$/.test(at) ? Number(at) : "now",
        x: said.get("x"),
        y: said.get("y"),
        log: said.has("log") ? said.get("log") === "1" : null,
        part: said.get("part"),
        layer: said.get("layer"),
        run: run && /^\d+(,\d+)*$/.test(run) ? run.split(",").map(Number) : null,
    };
}

function write(): void {
    const said = new URLSearchParams();
    if (look.run)
        said.set("run", look.run.join(","));
    if (look.panel !== "all")
        said.set("panel", look.panel);
    if (look.at !== "now")
        said.set("at", String(look.at));
    if (look.log !== null)
        said.set("log", look.log ? "1" : "0");
    for (const key of ["x", "y", "part", "layer"] as const)
        if (look[key] !== null)
            said.set(key, look[key]!);
    history.replaceState(null, "", `${location.pathname}${location.search}#${said}`);
}

function tell(before: Look): void {
    const changed = new Set((Object.keys(look) as (keyof Look)[]).filter(key => String(before[key]) !== String(look[key])));
    if (changed.size > 0)
        for (const watcher of watchers)
            watcher(look, changed);
}

/** Looks at something else. */
export function lookAt(part: Partial<Look>): void {
    const before = look;
    look = {...look, ...part};
    write();
    tell(before);
}

export function onLook(watcher: Watcher): void {
    watchers.push(watcher);
}

window.addEventListener("hashchange", () => {
    const before = look;
    look = read();
    tell(before);
});
