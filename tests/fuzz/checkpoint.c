/*
 * checkpoint.c - a descent that goes on from any file: from a checkpoint of its own as the bytes edit it, or from the bytes.
 *
 * The first byte chooses the descent and how far it went before it was saved. What follows is edits, each two bytes of offset,
 * one that says how many bytes go, one how many come, and those; or a file, where it begins with a brace.
 */
#include "fuzz.h"

#include "model/session.h"
#include "train/run.h"

typedef struct descent {
    hill_table *table;
    hill_session *session;
} descent;

static descent begin(unsigned how, const hill_host *host)
{
    static const char cells[] = "a,b,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n0,2,1\n2,0,1\n";
    static const char *const recipes[] = {"net=2 tanh\nvalid=0\nbatch=2\nepochs=3\nrule=sgd\n",
                                          "net=2 tanh\nvalid=0.5\nbatch=2\nepochs=3\nrule=adamw\n"};
    descent d;
    hill_recipe *recipe;
    hill_tables tables = HILL_TABLES_INIT;
    const char *text = recipes[how & 1];
    must(hill_table_parse(&(hill_bytes){cells, sizeof cells - 1, "table"}, NULL, host, &d.table, NULL) == HILL_OK);
    must(hill_recipe_new(host, &recipe, NULL) == HILL_OK);
    must(hill_recipe_parse(recipe, text, strlen(text), NULL, NULL) == HILL_OK);
    tables.train = d.table;
    must(hill_session_new(recipe, &tables, host, &d.session, NULL) == HILL_OK);
    hill_recipe_free(recipe);
    return d;
}

static void end(descent *d)
{
    hill_session_free(d->session);
    hill_table_free(d->table);
}

static hill__file_bytes save(descent *d, const hill_allocator *allocator)
{
    hill__file_bytes bytes;
    must(hill_session_save(d->session, fuzz_path(), NULL) == HILL_OK);
    must(hill__file_read(fuzz_path(), allocator, &bytes, NULL) == HILL_OK);
    return bytes;
}

/* The file as fuzz_safetensors takes it, with the edits made; its length is returned. */
static size_t edit(const hill__file_bytes *file, const uint8_t *edits, size_t size, uint8_t *out)
{
    size_t length = file->length - 8, header = hill__bytes_u32(file->data);
    memcpy(out, file->data + 8, header);
    out[header] = 0;
    memcpy(out + header + 1, file->data + 8 + header, length - header);
    length++;
    while (size >= 4) {
        size_t at = hill__bytes_u16(edits) % length, go = edits[2], come = edits[3];
        edits += 4;
        size -= 4;
        go = go < length - at ? go : length - at - 1;
        come = come < size ? come : size;
        memmove(out + at + come, out + at + go, length - at - go);
        memcpy(out + at, edits, come);
        length += come - go;
        edits += come;
        size -= come;
    }
    return length;
}

/* A descent that went on from the file is saved as the same bytes after it was saved and went on again. */
static void go_on(descent *d, unsigned how, const hill_host *host)
{
    descent again = begin(how, host);
    hill__file_bytes first = save(d, &host->allocator), second;
    must(hill_session_resume(again.session, fuzz_path(), NULL) == HILL_OK);
    second = save(&again, &host->allocator);
    must(first.length == second.length && memcmp(first.data, second.data, first.length) == 0);
    for (int i = 0; i < 4; i++) {
        int a = hill_step(hill_session_run(d->session), NULL), b = hill_step(hill_session_run(again.session), NULL);
        must(a == b && (a == HILL_ROW || a == HILL_DONE || a == HILL_EDIVERGED));
    }
    hill__bytes_free(&host->allocator, &first);
    hill__bytes_free(&host->allocator, &second);
    end(&again);
}

/* A file that is refused leaves the run as it was. */
static void resume(const uint8_t *data, size_t size, unsigned how, const hill_host *host)
{
    hill_error error = HILL_ERROR_INIT;
    descent d = begin(how, host);
    hill_run *run = hill_session_run(d.session), before;
    size_t bytes = run->plan->vector * sizeof(float);
    void *weights = malloc(bytes);
    must(weights);
    memcpy(weights, run->weights, bytes);
    memcpy(&before, run, sizeof before);
    int status = hill_session_resume(d.session, fuzz_safetensors(data, size), &error);
    must(status == HILL_OK || status == HILL_EMODEL);
    if (status == HILL_OK) {
        go_on(&d, how, host);
    } else {
        fuzz_said(&error, status, fuzz_path());
        must(memcmp(&before, run, sizeof before) == 0 && memcmp(weights, run->weights, bytes) == 0);
    }
    free(weights);
    end(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_memory memory = {0, 0, 0};
    hill_host host = fuzz_host(&memory);
    if (size < 1)
        return 0;
    unsigned how = data[0];
    if (size > 1 && data[1] == '{') {
        resume(data + 1, size - 1, how, &host);
    } else {
        descent d = begin(how, &host);
        for (unsigned i = 0; i < (how >> 1 & 15); i++)
            (void)hill_step(hill_session_run(d.session), NULL);
        hill__file_bytes file = save(&d, &host.allocator);
        uint8_t *edited = malloc(file.length + size);
        must(edited);
        resume(edited, edit(&file, data + 1, size - 1, edited), how, &host);
        free(edited);
        hill__bytes_free(&host.allocator, &file);
        end(&d);
    }
    must(memory.used == 0 && memory.asked <= FUZZ_JUSTIFIED(4096 + size));
    return remove(fuzz_path());
}
