// Where the descent stands, and what can be told it: pause, one step, go, another rate, save, stop.
import type {Control, RunDocument, StateDocument} from "./documents";
import {byId, setText, show} from "./dom";
import {short, whole} from "./format";
import type {Source} from "./source";
import type {Walk} from "./trace";

// How long "stop" waits for the second press.
const SURE = 4000;
const SAID = 8000;
const STOPPED: Record<string, string> = {epochs: "all passes made", patience: "no better for long", interrupted: "interrupted",
    diverged: "diverged", seconds: "time is up", steps: "all steps made", cost: "the cost is low enough", stopped: "stopped", page: "stopped here"};

export class Controls {
    private state: StateDocument | null = null;
    private connected = true;
    private typed = false;
    private asking = 0;
    private saying = 0;

    constructor(private readonly run: RunDocument, private readonly source: Source, private readonly known: (state: StateDocument) => void) {
        show(byId("controls"), run.mode === "live");
        this.on("pause", () => (this.state?.state === "paused" ? {do: "go"} : {do: "pause"}));
        this.on("step", () => ({do: "step"}));
        this.on("save", () => ({do: "save"}));
        this.on("rate-own", () => ({do: "rate", rate: 0}));
        byId("stop").addEventListener("click", () => this.stop());
        const rate = byId<HTMLInputElement>("rate");
        rate.addEventListener("input", () => { this.typed = true; });
        byId("rate-form").addEventListener("submit", event => {
            event.preventDefault();
            const value = Number(rate.value.trim().replace(",", "."));
            if (rate.value.trim() === "" || !Number.isFinite(value) || value <= 0)
                this.say("A rate is a number above 0, as 0.01.");
            else {
                this.typed = false;
                void this.order({do: "rate", rate: value});
            }
        });
        if (run.mode !== "live")
            setText(byId("standing"), run.mode === "replay" ? "Replay" : "Report");
    }

    private on(id: string, order: () => Control): void {
        byId(id).addEventListener("click", () => void this.order(order()));
    }

    private stop(): void {
        const button = byId("stop");
        if (this.asking) {
            clearTimeout(this.asking);
            this.asking = 0;
            setText(button, "Stop");
            void this.order({do: "stop"});
            return;
        }
        setText(button, "Sure?");
        this.say("Stop ends the descent. Press again to stop.");
        this.asking = window.setTimeout(() => {
            this.asking = 0;
            setText(button, "Stop");
            this.say("");
        }, SURE);
    }

    private async order(order: Control): Promise<void> {
        try {
            const state = await this.source.control(order);
            this.say(order.do === "save" && state.saved ? `Saved in ${state.saved}.` : order.do === "rate"
                ? (order.rate > 0 ? `The rate is ${short(order.rate)} now.` : "The rate follows its schedule again.") : "");
            this.show(state);
            this.known(state);
        } catch (error) {
            this.say((error as Error).message);
        }
    }

    private say(words: string): void {
        setText(byId("control-message"), words);
        clearTimeout(this.saying);
        this.saying = window.setTimeout(() => setText(byId("control-message"), ""), SAID);
    }

    connection(connected: boolean): void {
        this.connected = connected;
        this.tell();
    }

    show(state: StateDocument): void {
        this.state = state;
        const ended = state.state === "ended";
        setText(byId("pause"), state.state === "paused" ? "Go" : "Pause");
        for (const id of ["pause", "save", "stop", "rate", "rate-set"])
            byId<HTMLButtonElement>(id).disabled = ended;
        byId<HTMLButtonElement>("step").disabled = state.state !== "paused";
        byId<HTMLButtonElement>("rate-own").disabled = ended || !state.own_rate;
        const rate = byId<HTMLInputElement>("rate");
        if (!this.typed && document.activeElement !== rate && state.rate !== null)
            rate.value = String(Number(state.rate.toPrecision(6)));
        this.tell();
    }

    private tell(): void {
        const state = this.state;
        if (!state || this.run.mode !== "live")
            return;
        const lost = !this.connected && state.state !== "ended";
        const badge = byId("standing");
        badge.dataset["state"] = lost ? "lost" : state.state;
        setText(badge, lost ? "Not connected" : {running: "Running", paused: "Paused", ended: "Ended"}[state.state]);
        setText(byId("where"), `Epoch ${whole(state.epoch)} of ${whole(state.epochs)}, step ${whole(state.step)}`);
        setText(byId("speed"), state.state === "running" && state.steps_per_second !== null ? `${whole(state.steps_per_second)} steps a second` : "");
        const ended = state.state === "ended" ? STOPPED[state.stopped ?? ""] ?? state.stopped ?? "" : "";
        setText(byId("ended"), lost ? "what stands here came last" : ended);
    }

    /** A banner where the descent came to something that is no finite number and didn't go back. */
    tellFall(walk: Walk): void {
        const fall = walk.fall;
        const banner = byId("banner");
        if (!fall || (this.run.mode === "live" && this.state?.state === "running" && !walk.ended)) {
            show(banner, false);
            return;
        }
        // What the title says already is left out.
        const message = (this.state?.message || fall.message).replace(/^diverged at step \d+ \(epoch \d+\), /, "").replace(/, at rate [^;]*/, "")
            .replace(/^./, letter => letter.toUpperCase());
        setText(byId("banner-title"), `The descent diverged at step ${whole(fall.step)}, at rate ${short(fall.rate)}.`);
        setText(byId("banner-text"), `${message ? message.replace(/\.$/, "") + ". " : ""}What is drawn is the last finite state.`);
        show(banner, true);
    }
}
