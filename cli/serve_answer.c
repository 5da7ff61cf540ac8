/*
 * serve_answer.c - answers requests that were let in: the page, documents, what a control did.
 *
 * Invariant: a path is one of a list, compared whole; none is ever the name of a file.
 */
#define _POSIX_C_SOURCE 200809L

#include "serve_parts.h"

#ifdef HILL_VIEW
#include "json.h"
#include "page.h"
#include "progress.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum MHD_Result serve_send(serve_client *c, int status, struct MHD_Response *response)
{
    static const char *const headers[][2] = {{"Cache-Control", "no-store"},
                                             {"X-Content-Type-Options", "nosniff"},
                                             {"Referrer-Policy", "no-referrer"},
                                             {"Cross-Origin-Resource-Policy", "same-origin"},
                                             {"X-Frame-Options", "DENY"}};
    const http_calls *http = c->server->http;
    enum MHD_Result result = response ? MHD_YES : MHD_NO;
    for (size_t i = 0; i < sizeof headers / sizeof *headers && result == MHD_YES; i++)
        result = http->add_response_header(response, headers[i][0], headers[i][1]);
    if (result == MHD_YES && status == 405)
        result = http->add_response_header(response, "Allow", "GET");
    if (result == MHD_YES)
        result = http->queue_response(c->connection, (unsigned)status, response);
    if (response)
        http->destroy_response(response);
    c->phase = SERVE_ANSWERING;
    c->since = progress_clock();
    return result;
}

enum MHD_Result serve_json(serve_client *c, int status, text *document)
{
    const http_calls *http = c->server->http;
    struct MHD_Response *response = NULL;
    if (!document->failed && document->data)
        response = http->create_response_from_buffer(document->length, document->data, MHD_RESPMEM_MUST_FREE);
    if (!response) {
        text_free(document);
        return MHD_NO;
    }
    *document = (text)TEXT_INIT; /* the response has its bytes */
    if (http->add_response_header(response, "Content-Type", "application/json") == MHD_NO) {
        http->destroy_response(response);
        return MHD_NO;
    }
    return serve_send(c, status, response);
}

enum MHD_Result serve_refuse(serve_client *c, int status, const char *why)
{
    text out = TEXT_INIT;
    json j = {&out, false};
    json_open(&j, NULL, '{');
    json_string(&j, "error", why);
    json_close(&j, '}');
    return serve_json(c, status, &out);
}

#ifdef HILL_PAGE
static enum MHD_Result answer_page(serve_client *c)
{
    const http_calls *http = c->server->http;
    union {
        const unsigned char *in;
        void *out; /* the library takes what it doesn't write to as if it did */
    } page = {page_html};
    struct MHD_Response *response = http->create_response_from_buffer(page_html_length, page.out, MHD_RESPMEM_PERSISTENT);
    if (response && (http->add_response_header(response, "Content-Type", "text/html; charset=utf-8") == MHD_NO ||
                     http->add_response_header(response, "Content-Security-Policy", page_policy) == MHD_NO)) {
        http->destroy_response(response);
        response = NULL;
    }
    return serve_send(c, 200, response);
}
#else
static enum MHD_Result answer_page(serve_client *c)
{
    return serve_refuse(c, 404, "this build has no page");
}
#endif

static const char *answer_value(const serve_client *c, const char *key)
{
    return c->server->http->lookup_connection_value(c->connection, MHD_GET_ARGUMENT_KIND, key);
}

bool serve_number(const char *value, uint64_t *out)
{
    char *end = NULL;
    *out = 0;
    if (!value)
        return true;
    if (value[0] < '0' || value[0] > '9' || strlen(value) > 18)
        return false;
    *out = strtoull(value, &end, 10);
    return *end == '\0';
}

/* NULL, or what is wrong with the query. */
static const char *answer_query(const serve_client *c, scene_query *query)
{
    uint64_t at = 0, layer, first, truth, answer;
    const char *when = answer_value(c, "at");
    bool now = !when || strcmp(when, "now") == 0;
    if (!now && !serve_number(when, &at))
        return "at is an epoch or now";
    if (!serve_number(answer_value(c, "layer"), &layer) || !serve_number(answer_value(c, "first"), &first) ||
        !serve_number(answer_value(c, "truth"), &truth) || !serve_number(answer_value(c, "answer"), &answer))
        return "layer, first, truth and answer are whole numbers";
    *query = (scene_query){.at = now ? -1 : (int64_t)at,
                           .part = answer_value(c, "part"),
                           .x = answer_value(c, "x"),
                           .y = answer_value(c, "y"),
                           .layer = (size_t)layer,
                           .first = (size_t)first,
                           .truth = (size_t)truth,
                           .answer = (size_t)answer};
    if (query->part && strcmp(query->part, "data") != 0 && strcmp(query->part, "test") != 0)
        return "part is data or test";
    return NULL;
}

static enum MHD_Result answer_document(serve_client *c, const char *name)
{
    scene_query query;
    const char *wrong = answer_query(c, &query);
    if (wrong)
        return serve_refuse(c, 400, wrong);
    text out = TEXT_INIT;
    int status = scene_document(c->server->source.scene, name, &query, &out);
    if (out.length > 0 || out.failed)
        return serve_json(c, status, &out);
    text_free(&out);
    return serve_refuse(c, status, status == 503 ? "the trainer is busy; ask again" : "this can't be shown");
}

static enum MHD_Result answer_state(serve_client *c, int status)
{
    text out = TEXT_INIT;
    hub_state(c->server->source.hub, &out);
    return serve_json(c, status, &out);
}

enum MHD_Result serve_get(serve_client *c, const char *url)
{
    static const char *const documents[] = {"run", "net", "layer", "map", "answers", "rows"};
    static const char api[] = "/api/";
    if (strcmp(url, "/") == 0)
        return answer_page(c);
    if (strncmp(url, api, sizeof api - 1) != 0)
        return serve_refuse(c, 404, "there is nothing of this name");
    url += sizeof api - 1;
    if (strcmp(url, "state") == 0) {
        const serve_source *source = &c->server->source;
        if (source->control)
            (void)source->control(source->self, SERVE_TELL, 0);
        return answer_state(c, 200);
    }
    if (strcmp(url, "trace") == 0)
        return serve_events(c);
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++)
        if (strcmp(url, documents[i]) == 0)
            return answer_document(c, documents[i]);
    return serve_refuse(c, 404, "there is nothing of this name");
}

static const char *answer_blank(const char *p)
{
    return p + strspn(p, " \t\r\n");
}

/* The text between quotes at *p, at most 15 bytes without a backslash. */
static bool answer_word(const char **p, char word[16])
{
    size_t length = **p == '"' ? strcspn(*p + 1, "\"\\") : 16;
    if (length > 15 || (*p)[length + 1] != '"')
        return false;
    memcpy(word, *p + 1, length);
    word[length] = '\0';
    *p = answer_blank(*p + length + 2);
    return true;
}

/* A number of JSON: none that C knows besides. */
static bool answer_number(const char **p, double *number)
{
    char *end = NULL;
    size_t length = strspn(*p, "-+.0123456789eE");
    if (length == 0 || (*p)[0] == '+' || (*p)[0] == '.')
        return false;
    *number = strtod(*p, &end);
    bool whole = end == *p + length && isfinite(*number);
    *p = answer_blank(end);
    return whole;
}

/* {"do": WORD} or {"do": "rate", "rate": NUMBER}, members in any order, none else and none twice. */
static bool answer_order(const char *body, serve_order *order, double *rate)
{
    static const char *const words[] = {"pause", "go", "step", "save", "stop", "rate"};
    char key[16], word[16] = "";
    bool has_rate = false;
    const char *p = answer_blank(body);
    if (*p != '{')
        return false;
    do {
        p = answer_blank(p + 1);
        if (!answer_word(&p, key) || *p != ':')
            return false;
        p = answer_blank(p + 1);
        if (strcmp(key, "do") == 0 && !*word) {
            if (!answer_word(&p, word))
                return false;
        } else if (strcmp(key, "rate") == 0 && !has_rate) {
            has_rate = answer_number(&p, rate);
            if (!has_rate)
                return false;
        } else {
            return false;
        }
    } while (*p == ',');
    if (*p != '}' || *answer_blank(p + 1) != '\0')
        return false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(word, words[i]) == 0) {
            *order = (serve_order)i;
            return (*order == SERVE_RATE) == has_rate && !(*rate < 0);
        }
    return false;
}

enum MHD_Result serve_post(serve_client *c)
{
    serve_order order;
    double rate = 0;
    const serve_source *source = &c->server->source;
    c->body[c->length] = '\0';
    if (strlen(c->body) != c->length || !answer_order(c->body, &order, &rate))
        return serve_refuse(c, 400,
                            "a control is {\"do\": \"pause\"}, go, step, save, stop, or {\"do\": \"rate\", \"rate\": 0.01}");
    if (!source->control)
        return serve_refuse(c, 409, "this is no descent under way: there is nothing to control");
    int status = source->control(source->self, order, rate);
    if (status == 409)
        return serve_refuse(c, status, "the descent has ended");
    if (status == 503)
        return serve_refuse(c, status, "the step under way takes long, and what was asked before comes first; ask again");
    if (status == 400)
        return serve_refuse(c, status, "there is no such rate");
    return answer_state(c, status);
}
#endif
