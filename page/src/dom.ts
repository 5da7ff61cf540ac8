// Elements. Whatever comes out of a document becomes text here, never markup.

type Child = Node | string | null;

interface Options {
    [name: string]: string | number | boolean | ((event: Event) => void) | undefined;
}

/** An element with attributes (`text` is its text, `on...` a listener) and children. */
export function el<K extends keyof HTMLElementTagNameMap>(tag: K, options: Options = {}, ...children: Child[]):
    HTMLElementTagNameMap[K] {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(options)) {
        if (value === undefined || value === false)
            continue;
        if (typeof value === "function")
            made.addEventListener(name.slice(2), value);
        else if (name === "text")
            made.textContent = String(value);
        else
            made.setAttribute(name, value === true ? "" : String(value));
    }
    made.append(...children.filter(child => child !== null));
    return made;
}

export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
    const found = document.getElementById(id);
    if (!found)
        throw new Error(`the page has no #${id}`);
    return found as T;
}

/** Sets text only where it differs, so that nothing is laid out anew for nothing. */
export function setText(node: Node, text: string): void {
    if (node.textContent !== text)
        node.textContent = text;
}

/** Lets a screen reader say what was just chosen by keyboard. */
export function say(words: string): void {
    setText(byId("said"), words);
}

export function show(node: HTMLElement, shown: boolean): void {
    if (node.hidden === shown)
        node.hidden = !shown;
}

let choices = 0;

/** A select with its label before it. */
export function choice(label: string, options: [string, string][], chosen: string, changed: (value: string) => void):
    {root: HTMLElement; select: HTMLSelectElement} {
    const select = el("select", {onchange: () => changed(select.value)},
        ...options.map(([value, text]) => el("option", {value, text})));
    select.value = chosen;
    select.id = `choice-${++choices}`;
    return {root: el("span", {class: "choice"}, el("label", {for: select.id, text: label}), select), select};
}

/** A button that copies a text, and says that it did. */
export function copyButton(text: () => string): HTMLButtonElement {
    const button = el("button", {type: "button", text: "Copy", onclick: () => void copy()});
    async function copy(): Promise<void> {
        try {
            await navigator.clipboard.writeText(text());
            button.textContent = "Copied";
        } catch {
            button.textContent = "Select and copy it";
        }
        setTimeout(() => { button.textContent = "Copy"; }, 2000);
    }
    return button;
}

/** A region that scrolls sideways or down where there is no room, reachable by keyboard. */
export function scroller(label: string, ...children: Child[]): HTMLElement {
    return el("div", {class: "scroll", tabindex: 0, role: "region", "aria-label": label}, ...children);
}

/** A canvas that is as sharp as the screen; `fit` sizes it and gives its context in CSS pixels. */
export function fit(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D {
    const sharp = Math.min(window.devicePixelRatio || 1, 2);
    const [w, h] = [Math.max(1, Math.round(width * sharp)), Math.max(1, Math.round(height * sharp))];
    if (canvas.width !== w || canvas.height !== h) {
        canvas.width = w;
        canvas.height = h;
        canvas.style.width = `${width}px`;
        canvas.style.height = `${height}px`;
    }
    const context = canvas.getContext("2d")!;
    context.setTransform(sharp, 0, 0, sharp, 0, 0);
    context.clearRect(0, 0, width, height);
    return context;
}

/** Draws before the next frame, once, however often it is asked for. */
export function painter(draw: () => void): () => void {
    let asked = false;
    return () => {
        if (asked)
            return;
        asked = true;
        requestAnimationFrame(() => {
            asked = false;
            draw();
        });
    };
}
