// Numbers that came as bytes. Each document's bytes are decoded once, however often they are drawn.
import type {Bytes} from "./documents";

const decoded = new WeakMap<object, Uint8Array>();

export function bytesOf(bytes: {data: string}): Uint8Array {
    let found = decoded.get(bytes);
    if (!found) {
        const text = atob(bytes.data);
        found = new Uint8Array(text.length);
        for (let i = 0; i < text.length; i++)
            found[i] = text.charCodeAt(i);
        decoded.set(bytes, found);
    }
    return found;
}

/** What byte i of the data stands for. */
export function valueAt(bytes: Bytes, i: number): number {
    return bytes.low + (bytesOf(bytes)[i] ?? 0) * (bytes.high - bytes.low) / 255;
}

/** The largest distance from zero. */
export function reachOf(bytes: Bytes): number {
    return Math.max(Math.abs(bytes.low), Math.abs(bytes.high)) || 1;
}
