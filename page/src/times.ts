// Other times: a slider over the epochs of which there are snapshots, and the command that goes another way from there.
import type {RunDocument} from "./documents";
import {byId, copyButton, setText, show} from "./dom";
import {whole} from "./format";
import {look, lookAt, onLook} from "./state";

const FRAME = 300;

// Flags whose value the other way has of its own.
const OWN = ["--start", "--out", "--log", "--resume", "--port", "--snapshots"];
const ALONE = ["--view", "--fresh", "--open"];

/** The words of a command as they were typed, quotes and all. */
function wordsOf(command: string): string[] {
    return command.match(/(?:[^\s'"\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")+/g) ?? [];
}

export function quoted(word: string): string {
    return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replace(/'/g, "'\\''")}'`;
}

/** The run's command, begun at a snapshot and written elsewhere. */
export function forkCommand(run: RunDocument, epoch: number): string {
    const words = wordsOf(run.command);
    const kept: string[] = [];
    for (let i = 0; i < words.length; i++) {
        const word = words[i]!;
        if (OWN.includes(word))
            i++;
        else if (!ALONE.includes(word) && !OWN.some(flag => word.startsWith(flag + "=")))
            kept.push(word);
    }
    const first = run.runs[0]!;
    const base = (first.log ?? first.name).replace(/\.jsonl$/, "");
    const snapshot = `${base}.snapshots/epoch-${String(epoch).padStart(6, "0")}.safetensors`;
    const out = `${base.replace(/^.*\//, "")}-from-${epoch}.safetensors`;
    return [...kept, "--start", quoted(snapshot), "--out", quoted(out)].join(" ");
}

export class Times {
    private snapshots: number[] = [];
    private timer = 0;
    private readonly slider = byId<HTMLInputElement>("time");

    constructor(private run: RunDocument) {
        this.slider.addEventListener("input", () => this.choose(Number(this.slider.value)));
        byId("time-before").addEventListener("click", () => this.choose(Number(this.slider.value) - 1));
        byId("time-after").addEventListener("click", () => this.choose(Number(this.slider.value) + 1));
        byId("time-play").addEventListener("click", () => (this.timer ? this.halt() : this.play()));
        byId("fork-copy").replaceWith(copyButton(() => byId("fork-command").textContent ?? ""));
        onLook((_now, changed) => {
            if (changed.has("at"))
                this.tell();
        });
        this.update(run);
    }

    /** There are more snapshots now. */
    update(run: RunDocument): void {
        this.run = run;
        this.snapshots = run.runs[0]?.snapshots ?? [];
        // A report holds one time only.
        show(byId("times"), this.snapshots.length > 0 && run.mode !== "report");
        show(byId("fork-none"), this.snapshots.length === 0);
        this.slider.max = String(this.snapshots.length);
        this.tell();
    }

    private choose(place: number): void {
        const within = Math.max(0, Math.min(this.snapshots.length, place));
        lookAt({at: this.snapshots[within] ?? "now"});
    }

    private play(): void {
        if (Number(this.slider.value) >= this.snapshots.length)
            this.choose(0);
        setText(byId("time-play"), "Halt");
        this.timer = window.setInterval(() => {
            const next = Number(this.slider.value) + 1;
            this.choose(next);
            if (next >= this.snapshots.length)
                this.halt();
        }, FRAME);
    }

    private halt(): void {
        clearInterval(this.timer);
        this.timer = 0;
        setText(byId("time-play"), "Play");
    }

    private tell(): void {
        const found = look.at === "now" ? -1 : this.snapshots.indexOf(look.at);
        const place = found < 0 ? this.snapshots.length : found;
        const now = this.run.mode === "live" ? "now" : "the end";
        const words = place === this.snapshots.length ? now : `epoch ${whole(this.snapshots[place]!)}`;
        this.slider.value = String(place);
        this.slider.setAttribute("aria-valuetext", words);
        setText(byId("time-words"), words);
        byId<HTMLButtonElement>("time-before").disabled = place === 0;
        byId<HTMLButtonElement>("time-after").disabled = place === this.snapshots.length;
        const epoch = this.snapshots[Math.min(place, this.snapshots.length - 1)];
        show(byId("fork"), epoch !== undefined);
        if (epoch !== undefined) {
            setText(byId("fork-command"), forkCommand(this.run, epoch));
            setText(byId("fork-words"), `Another way from epoch ${whole(epoch)} on: change what you like in this command.`);
        }
    }
}
