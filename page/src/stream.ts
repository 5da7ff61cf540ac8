// Streams of traces. A browser opens six connections to a host and no more, so few streams are open at a time: those that wait
// get their turn, and a hidden page has none.
//
// Invariant: each line is delivered once, in order, however often its stream was opened: a line's number says whether it is new. A
// log that ended is listened to further where there is room, for its run may be gone on with.
import type {StateDocument} from "./documents";

export interface TraceListener {
    lines(lines: string[]): void;
    state?(state: StateDocument): void;
    connected?(connected: boolean): void;
    /** Only so many of the first lines still are in the log. */
    cut?(lines: number): void;
    end(): void;
}

interface Stream {
    run: number;
    listener: TraceListener;
    last: number;
    ended: boolean;
    events: EventSource | null;
    since: number;
}

const MOST_OPEN = 3;
const TURN = 2000;

export class StreamPool {
    private readonly all: Stream[] = [];

    constructor(private readonly address: (run: number) => string) {
        document.addEventListener("visibilitychange", () => this.share());
        setInterval(() => this.share(), TURN);
    }

    open(run: number, listener: TraceListener): void {
        this.all.push({run, listener, last: -1, ended: false, events: null, since: 0});
        this.share();
    }

    /** Opens what may be open and closes what must make room. */
    private share(): void {
        const live = this.all.filter(stream => !stream.ended || this.all.length <= MOST_OPEN);
        const waiting = live.filter(stream => !stream.events);
        for (const stream of live) {
            // The first run's stream tells the state too: it keeps its place.
            const over = waiting.length > 0 && stream.run !== 0 && performance.now() - stream.since > TURN;
            if (stream.events && (document.hidden || over))
                this.close(stream);
        }
        if (document.hidden)
            return;
        let open = live.filter(stream => stream.events).length;
        for (const stream of waiting.sort((a, b) => a.since - b.since))
            if (open < MOST_OPEN) {
                this.connect(stream);
                open++;
            }
    }

    private close(stream: Stream): void {
        stream.events?.close();
        stream.events = null;
    }

    private connect(stream: Stream): void {
        const events = new EventSource(this.address(stream.run));
        let arrived: string[] = [];
        const deliver = (): void => {
            const lines = arrived;
            arrived = [];
            if (lines.length > 0)
                stream.listener.lines(lines);
        };
        stream.events = events;
        stream.since = performance.now();
        events.onopen = () => stream.listener.connected?.(true);
        events.onerror = () => {
            stream.listener.connected?.(false);
            if (stream.ended)
                events.close();
        };
        events.onmessage = event => {
            const number = Number(event.lastEventId);
            if (event.lastEventId !== "" && number <= stream.last)
                return;
            stream.last = event.lastEventId === "" ? stream.last : number;
            if (arrived.push(event.data as string) === 1)
                setTimeout(deliver, 0);
        };
        events.addEventListener("state", event => stream.listener.state?.(JSON.parse(event.data as string) as StateDocument));
        events.addEventListener("cut", event => {
            deliver();
            stream.last = Number(event.data as string);
            stream.ended = false;
            stream.listener.cut?.(stream.last);
        });
        events.addEventListener("end", () => {
            deliver();
            stream.ended = true;
            if (this.all.length > MOST_OPEN)
                this.close(stream);
            stream.listener.end();
            this.share();
        });
    }
}
