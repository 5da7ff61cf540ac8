/*
 * cmd_report.c - writes what there is to see of a run into one file: the page with the run's documents in it.
 */
#include "options.h"
#include "output.h"
#include "page.h"

#ifdef HILL_PAGE

#include "report.h"
#include "scene.h"
#include "trace.h"

#include <string.h>
#include <unistd.h>

/* Bytes of a report, at most. */
#define REPORT_MOST ((size_t)2950000)

/* "runs/xor.jsonl" becomes xor.html in this folder. */
static void default_name(const char *log, text *out)
{
    const char *slash = strrchr(log, '/'), *name = slash ? slash + 1 : log;
    size_t length = trace_stem(log) - (size_t)(name - log);
    text_bytes(out, name, length);
    text_string(out, ".html");
}

/* Where `words` stand in the page, from byte `from` on; its length where they don't. */
static size_t find_in_page(const char *words, size_t from)
{
    const size_t length = strlen(words);
    while (from + length <= page_html_length && memcmp(page_html + from, words, length) != 0)
        from++;
    return from + length <= page_html_length ? from : page_html_length;
}

/* The page with the documents in the element that is for them. */
static void add_page(text *out, const text *documents)
{
    static const char opening[] = "id=\"report\">";
    const size_t begin = find_in_page(opening, 0) + sizeof opening - 1, end = find_in_page("</script>", begin);
    text_bytes(out, (const char *)page_html, begin);
    text_bytes(out, text_get(documents), documents->length);
    text_bytes(out, (const char *)page_html + end, page_html_length - end);
}

static int write_page(const char *path, text *page)
{
    output_file file;
    if (strcmp(path, "-") == 0)
        return output_answer(page);
    int code = output_create(path, &file);
    if (code)
        return code;
    code = output_append(&file, page);
    if (code == 0)
        return output_close(&file);
    output_drop(&file);
    return code;
}

/* One line a thing, on standard error. */
static void say(const char *path, size_t bytes, const text *left_out)
{
    text out = TEXT_INIT, words = TEXT_INIT;
    text_format(&words, "%s, ", path);
    text_count(&words, bytes);
    text_string(&words, " bytes");
    report_line(&out, STDERR_FILENO, "report", text_get(&words));
    for (const char *line = text_get(left_out); *line; line += strcspn(line, "\n") + 1) {
        text_clear(&words);
        text_bytes(&words, line, strcspn(line, "\n"));
        report_line(&out, STDERR_FILENO, "left out", text_get(&words));
    }
    output_say(&out);
    text_free(&words);
    text_free(&out);
}

static int write_report(scene *s, const char *path)
{
    text documents = TEXT_INIT, left_out = TEXT_INIT, page = TEXT_INIT;
    const size_t most = page_html_length < REPORT_MOST ? REPORT_MOST - page_html_length : 0;
    int code = scene_report(s, most, &documents, &left_out);
    if (code == 0) {
        add_page(&page, &documents);
        const size_t bytes = page.length;
        code = write_page(path, &page);
        if (code == 0)
            say(path, bytes, &left_out);
    }
    text_free(&page);
    text_free(&left_out);
    text_free(&documents);
    return code;
}

int cmd_report(const arguments *a)
{
    hill_host host = HILL_HOST_INIT;
    text name = TEXT_INIT;
    scene *s = NULL;
    default_name(a->operands[0], &name);
    const char *path = a->values[OPTION_OUT] ? a->values[OPTION_OUT] : text_get(&name);
    int code = name.failed ? output_failure(HILL_EMEMORY, NULL) : options_host(a, &host);
    for (size_t i = 0; i < a->operand_count && code == 0; i++)
        if (output_same_file(path, a->operands[i]))
            code = output_error(CODE_USAGE, "--out %s: is an input, too; take another name", path);
    if (code == 0)
        code = scene_open_logs(a->operands, a->operand_count, &host, &s);
    if (code == 0)
        code = write_report(s, path);
    scene_free(s);
    text_free(&name);
    return code;
}

#else

int cmd_report(const arguments *a)
{
    (void)a;
    return output_error(CODE_FAILED,
                        "report: this command was built without its page; Node 18 builds it (Debian: nodejs, npm)");
}

#endif
