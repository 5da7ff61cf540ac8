// Begins: asks what there is to look at, then lets each panel show its documents.
import "uplot/dist/uPlot.min.css";
import "./style.css";
import {AnswersPanel} from "./answers";
import {Controls} from "./controls";
import type {RunDocument, StateDocument} from "./documents";
import {byId, setText, show} from "./dom";
import {follow, setState} from "./follow";
import {Gallery} from "./gallery";
import {LayersTable} from "./layers";
import {MapPanel} from "./map";
import {NetworkPanel} from "./network";
import {showRecipe} from "./recipe";
import {isReport, openSource, type Source} from "./source";
import {look, lookAt, onLook, PANELS} from "./state";
import {Times} from "./times";
import {WalkPanel} from "./walk";

// A live run's list of snapshots is asked for again so often.
const SNAPSHOTS = 3000;

function panels(): void {
    const buttons = PANELS.map(panel => byId<HTMLButtonElement>(`to-${panel}`));
    const tell = () => {
        document.body.dataset["panel"] = look.panel;
        PANELS.forEach((panel, i) => buttons[i]!.setAttribute("aria-pressed", String(panel === look.panel)));
    };
    PANELS.forEach((panel, i) => buttons[i]!.addEventListener("click", () => lookAt({panel})));
    onLook((_now, changed) => {
        if (changed.has("panel"))
            tell();
    });
    tell();
}

function showNetAndMap(run: RunDocument, source: Source): void {
    const network = new NetworkPanel(run), layers = new LayersTable(), gallery = new Gallery(source);
    network.onChosenLayer = layer => {
        lookAt({layer});
        byId("gallery").scrollIntoView({block: "nearest"});
    };
    follow({
        ask: at => source.net(at),
        show: net => {
            network.show(net);
            layers.show(net);
            gallery.show(net);
        },
        fail: words => network.fail(words),
        places: [byId("network")], parts: ["at"], every: 100,
    });
    const flat = run.columns.filter(column => column.kind !== "image");
    const pairs = isReport(source) ? source.pairs() : null;
    const mapped = flat.length >= 2 && pairs?.length !== 0;
    show(byId("map"), mapped);
    document.body.classList.toggle("no-map", !mapped);
    if (!mapped)
        return;
    const map = new MapPanel(run, pairs);
    follow({
        ask: at => source.map(at, look.x!, look.y!),
        show: document => {
            map.show(document);
            network.showMap(document);
            gallery.showMap(document);
        },
        fail: words => map.fail(words),
        places: [byId("map"), byId("network")], parts: ["at", "x", "y"], every: 100,
    });
}

function showAnswers(run: RunDocument, source: Source): void {
    const answers = new AnswersPanel(run, source);
    follow({
        ask: at => source.answers(at, answers.part()),
        show: document => answers.show(document),
        fail: words => answers.fail(words),
        places: [byId("answers")], parts: ["at", "part"], every: 1000,
    });
}

function showWalk(run: RunDocument, source: Source): void {
    const walk = new WalkPanel(run);
    const controls = new Controls(run, source, setState);
    const known = (state: StateDocument) => {
        controls.show(state);
        setState(state);
        walk.glance(0, state);
        controls.tellFall(walk.walks[0]!);
    };
    run.runs.forEach((_one, i) => source.trace(i, {
        lines: lines => {
            walk.add(i, lines);
            if (i === 0)
                controls.tellFall(walk.walks[0]!);
        },
        cut: lines => {
            walk.cut(i, lines);
            if (i === 0)
                controls.tellFall(walk.walks[0]!);
        },
        end: () => {
            walk.end(i);
            if (i === 0)
                controls.tellFall(walk.walks[0]!);
        },
        ...(i === 0 ? {state: known, connected: (is: boolean) => controls.connection(is)} : {}),
    }));
}

async function begin(): Promise<void> {
    panels();
    const source = openSource();
    const run = await source.run();
    const names = run.runs.map(one => one.name).join(", ");
    document.title = `${names} \u2013 Downhill`;
    setText(byId("name"), names);
    document.body.dataset["mode"] = run.mode;
    showWalk(run, source);
    showRecipe(run, source.leftOut);
    if (run.missing) {
        setText(byId("missing-text"), run.missing);
        show(byId("missing"), true);
        for (const id of ["map", "network", "answers"])
            show(byId(id), false);
        document.body.classList.add("no-map");
    } else {
        showNetAndMap(run, source);
        showAnswers(run, source);
    }
    const times = new Times(run);
    if (run.mode !== "report")
        setInterval(() => {
            if (!document.hidden && run.mode === "live")
                source.run().then(again => times.update(again), () => undefined);
        }, SNAPSHOTS);
    document.body.dataset["ready"] = "yes";
    requestAnimationFrame(() => performance.mark("ready"));
}

begin().catch((error: Error) => {
    setText(byId("missing-text"), `There is nothing to look at: ${error.message}.`);
    show(byId("missing"), true);
    document.body.dataset["ready"] = "no";
});
