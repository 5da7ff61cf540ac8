// The documents that the page draws, as docs/page.md says them.

export interface Bytes {
    low: number;
    high: number;
    data: string;
}

export interface Column {
    name: string;
    kind: "number" | "category" | "image";
    low: number;
    high: number;
    values: string[] | null;
    values_left_out?: number;
}

export interface RunDocument {
    mode: "live" | "replay" | "report";
    runs: {name: string; log: string | null; snapshots: number[]}[];
    columns: Column[];
    columns_left_out?: number;
    target: string;
    task: "classes" | "numbers";
    classes: string[] | null;
    parts: ("data" | "test")[];
    recipe: string;
    command: string;
    version: string;
    arithmetic: number;
    missing: string | null;
}

export interface Bins {
    low: number;
    high: number;
    counts: number[];
}

export interface Weights extends Bytes {
    inputs: number;
    units: number;
    first: number;
}

export interface Layer {
    name: string;
    words: string;
    inputs: number;
    units: number;
    picture: [number, number, number] | null;
    weights: Weights | null;
    bias: Bytes | null;
    bins: {weights: Bins | null; activations: Bins | null; gradient: Bins | null};
    asleep: number | null;
    weight_count: number;
}

export interface NetDocument {
    epoch: number;
    step: number;
    layers: Layer[];
}

export interface Axis {
    name: string;
    low: number;
    high: number;
    values: string[] | null;
}

export interface MapDocument {
    epoch: number;
    step: number;
    width: number;
    height: number;
    x: Axis;
    y: Axis;
    fixed: {name: string; value: string}[];
    outputs: (Bytes & {name: string})[];
    layers: {name: string; units: number; maps: Bytes[]}[];
    points: [number, number, number][];
    left_out?: {units?: number; points?: number};
}

export interface Row {
    row: number;
    truth: string;
    answer: string;
    sure: number | null;
    cost: number | null;
    cells: [string, string][];
    cells_left_out?: number;
    image: {height: number; width: number; channels: number; data: string} | null;
}

export interface AnswersDocument {
    epoch: number;
    part: "data" | "test";
    rows: number;
    metrics: Record<string, number | null>;
    classes: string[] | null;
    confusion: number[][] | null;
    pairs?: [number, number, number][];
    worst: Row[];
    scatter: [number, number][] | null;
}

export interface RowsDocument {
    rows: Row[];
    count: number;
}

export interface StateDocument {
    state: "running" | "paused" | "ended";
    step: number;
    epoch: number;
    epochs: number;
    /** Of the last step, and of the last epoch. */
    cost?: number | null;
    train_cost?: number | null;
    valid_cost?: number | null;
    rate: number | null;
    own_rate: boolean;
    steps_per_second: number | null;
    saved: string | null;
    stopped: string | null;
    message: string;
}

export interface ReportDocument {
    run: RunDocument;
    traces: string[][];
    net: NetDocument | null;
    maps: MapDocument[];
    answers: AnswersDocument[];
    left_out: string[];
}

export type At = number | "now";
export type Control =
    | {do: "pause"} | {do: "go"} | {do: "step"} | {do: "save"} | {do: "stop"} | {do: "rate"; rate: number};
