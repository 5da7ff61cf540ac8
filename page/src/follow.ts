// Keeps documents fresh: asks for each when what is looked at has changed, and while a descent runs again and again, but only for
// what can be seen, and never so often that the asking would be felt.
import type {At, StateDocument} from "./documents";
import {look, onLook, type Look} from "./state";

export interface Feed<T> {
    /** Asks; null where there is nothing to ask for. */
    ask(at: At): Promise<T> | null;
    show(document: T): void;
    fail(words: string): void;
    /** What must be in sight. */
    places: HTMLElement[];
    /** The parts of what is looked at that this document depends on. */
    parts: (keyof Look)[];
    /** Milliseconds between two askings, at least. */
    every: number;
}

interface Held {
    feed: Feed<unknown>;
    stale: boolean;
    busy: boolean;
    next: number;
    step: number;
    seen: boolean;
}

const held: Held[] = [];
const places = new Map<Element, boolean>();
let state: StateDocument | null = null;

const sight = new IntersectionObserver(entries => {
    for (const entry of entries)
        places.set(entry.target, entry.isIntersecting);
    for (const one of held)
        one.seen = one.feed.places.some(place => places.get(place));
    turn();
}, {rootMargin: "100px"});

export function follow<T>(feed: Feed<T>): {renew(): void} {
    const one: Held = {feed: feed as Feed<unknown>, stale: true, busy: false, next: 0, step: -1, seen: false};
    held.push(one);
    for (const place of feed.places)
        sight.observe(place);
    return {renew: () => {
        one.stale = true;
        turn();
    }};
}

/** Where a live run stands; what shows it "now" is then out of date. */
export function setState(known: StateDocument): void {
    state = known;
    turn();
}

function isDue(one: Held, now: number): boolean {
    if (one.busy || !one.seen || document.hidden)
        return false;
    if (one.stale)
        return true;
    return look.at === "now" && state !== null && state.step !== one.step && now >= one.next;
}

async function renew(one: Held): Promise<void> {
    const begin = performance.now();
    one.busy = true;
    one.stale = false;
    one.step = state?.step ?? -1;
    try {
        const asked = one.feed.ask(look.at);
        const document = asked && await asked;
        // What was asked for before somebody looked elsewhere is of no use.
        if (document && !one.stale)
            one.feed.show(document);
    } catch (error) {
        if (!one.stale)
            one.feed.fail((error as Error).message);
    }
    one.busy = false;
    one.next = begin + Math.max(one.feed.every, 3 * (performance.now() - begin));
    turn();
}

function turn(): void {
    const now = performance.now();
    for (const one of held)
        if (isDue(one, now))
            void renew(one);
}

onLook((_look, changed) => {
    for (const one of held)
        if (one.feed.parts.some(part => changed.has(part)))
            one.stale = true;
    turn();
});
document.addEventListener("visibilitychange", turn);
setInterval(turn, 50);
