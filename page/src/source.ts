// Where documents come from: the server that sent the page, or the report that the page itself is.
import type {AnswersDocument, At, Control, Layer, MapDocument, NetDocument, ReportDocument, RowsDocument, RunDocument, StateDocument,
    Weights} from "./documents";
import {StreamPool, type TraceListener} from "./stream";

export interface Source {
    run(): Promise<RunDocument>;
    net(at: At): Promise<NetDocument>;
    layer(at: At, layer: number, first: number): Promise<Weights>;
    map(at: At, x: string, y: string): Promise<MapDocument>;
    answers(at: At, part: string): Promise<AnswersDocument>;
    rows(at: At, part: string, truth: number, answer: number): Promise<RowsDocument>;
    /** Each line of a run's trace, as it comes; may go on for ever. */
    trace(run: number, listener: TraceListener): void;
    control(order: Control): Promise<StateDocument>;
    /** What couldn't be taken along, in words. */
    leftOut: string[];
}

async function answerOf<T>(response: Response): Promise<T> {
    if (response.ok)
        return await response.json() as T;
    let words = `the command answered ${response.status}`;
    try {
        words = (await response.json() as {error?: string}).error ?? words;
    } catch {
        // Not every refusal has a document.
    }
    throw new Error(words);
}

class Server implements Source {
    leftOut: string[] = [];
    private readonly token = new URLSearchParams(location.search).get("token") ?? "";
    private readonly streams = new StreamPool(run => this.address("trace", {run}));

    private address(what: string, parts: Record<string, string | number>): string {
        const said = new URLSearchParams({token: this.token});
        for (const [key, value] of Object.entries(parts))
            said.set(key, String(value));
        return `/api/${what}?${said}`;
    }

    private async ask<T>(what: string, parts: Record<string, string | number> = {}): Promise<T> {
        return answerOf<T>(await fetch(this.address(what, parts), {cache: "no-store"}));
    }

    run = () => this.ask<RunDocument>("run");
    net = (at: At) => this.ask<NetDocument>("net", {at});
    map = (at: At, x: string, y: string) => this.ask<MapDocument>("map", {at, x, y});
    answers = (at: At, part: string) => this.ask<AnswersDocument>("answers", {at, part});
    rows = (at: At, part: string, truth: number, answer: number) => this.ask<RowsDocument>("rows", {at, part, truth, answer});

    async layer(at: At, layer: number, first: number): Promise<Weights> {
        const said = await this.ask<Weights | {weights: Weights}>("layer", {at, layer, first});
        return "weights" in said ? said.weights : said;
    }

    trace(run: number, listener: TraceListener): void {
        this.streams.open(run, listener);
    }

    async control(order: Control): Promise<StateDocument> {
        return answerOf<StateDocument>(await fetch("/api/control", {
            method: "POST",
            headers: {"X-Downhill-Token": this.token, "Content-Type": "application/json"},
            body: JSON.stringify(order),
        }));
    }
}

class Report implements Source {
    leftOut: string[];
    constructor(private readonly held: ReportDocument) {
        this.leftOut = held.left_out ?? [];
    }

    async run(): Promise<RunDocument> {
        return {...this.held.run, mode: "report"};
    }

    async net(): Promise<NetDocument> {
        return kept(this.held.net ?? undefined, "this report holds no net");
    }

    async layer(_at: At, layer: number): Promise<Weights> {
        const found: Layer | undefined = this.held.net?.layers[layer];
        throw new Error(`this report holds the first ${found?.weights?.units ?? 0} units only`);
    }

    async map(_at: At, x: string, y: string): Promise<MapDocument> {
        return kept(this.held.maps.find(map => map.x.name === x && map.y.name === y), "this report holds no map of these columns");
    }

    async answers(_at: At, part: string): Promise<AnswersDocument> {
        return kept(this.held.answers.find(answers => answers.part === part), "this report holds no answers on these rows");
    }

    /** Of all rows behind a cell a report has those that are among the worst. */
    async rows(_at: At, part: string, truth: number, answer: number): Promise<RowsDocument> {
        const answers = await this.answers(_at, part);
        const [t, a] = [answers.classes?.[truth], answers.classes?.[answer]];
        const count = answers.confusion?.[truth]?.[answer] ?? answers.pairs?.find(pair => pair[0] === truth && pair[1] === answer)?.[2];
        return {rows: answers.worst.filter(row => row.truth === t && row.answer === a), count: count ?? 0};
    }

    trace(run: number, listener: TraceListener): void {
        listener.lines(this.held.traces[run] ?? []);
        listener.end();
    }

    async control(): Promise<StateDocument> {
        throw new Error("a report can't be steered");
    }

    /** The pairs of columns of which there is a map. */
    pairs(): [string, string][] {
        return this.held.maps.map(map => [map.x.name, map.y.name]);
    }
}

export type ReportSource = Report;

async function kept<T>(found: T | undefined, otherwise: string): Promise<T> {
    if (found === undefined)
        throw new Error(otherwise);
    return found;
}

/** A report if the page holds one, else its server. */
export function openSource(): Source | ReportSource {
    const held = document.getElementById("report")?.textContent?.trim();
    return held ? new Report(JSON.parse(held) as ReportDocument) : new Server();
}

export function isReport(source: Source): source is ReportSource {
    return source instanceof Report;
}
