/*
 * model.c - models: made, saved, opened, asked about. Invariant: the file depends on recipe, encoder, weights and counts alone;
 * opened, it gives the same model, and saved again the same bytes.
 */
#include "base/fp.h"

#include "model/model.h"

#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "data/embed.h"
#include "plan/plan.h"

#define MODEL_FORMAT "downhill 1"
#define MODEL_STRING(x) #x
#define MODEL_EXPANDED(x) MODEL_STRING(x)

/* Room for a 64-bit number in decimal. */
#define MODEL_COUNT_TEXT 24

typedef struct model_fact {
    const char *key;
    size_t offset;
} model_fact;

static const model_fact model_facts[] = {
    {"rows", offsetof(hill__facts, rows)},
    {"epochs", offsetof(hill__facts, epochs)},
    {"steps", offsetof(hill__facts, steps)},
    {"best_epoch", offsetof(hill__facts, best_epoch)},
};
/* Inputs that a model may have whatever its file weighs: 4 MB a row. */
#define MODEL_INPUTS_FREE ((size_t)1 << 20)

#define MODEL_FACTS (sizeof model_facts / sizeof model_facts[0])

int hill__model_tables(const hill__encoder *encoder, const hill_plan *plan, hill_error *error)
{
    size_t next = 0;
    for (size_t i = 0; i < encoder->input_count; i++) {
        const hill__input *input = &encoder->inputs[i];
        if (!input->embedded)
            continue;
        const hill__lookup *lookup = next < plan->lookup_count ? &plan->lookups[next++] : NULL;
        if (!lookup || lookup->unit != input->first || lookup->rows != hill__embed_rows(input) ||
            lookup->width != input->embedded)
            return hill__fail(error, HILL_ERECIPE, "net: column %.200s is embedded, and wants a table %zu:%zux%zu there",
                              input->name, input->first + 1, hill__embed_rows(input), input->embedded);
    }
    if (next < plan->lookup_count)
        return hill__fail(error, HILL_ERECIPE, "net: the table of unit %zu belongs to no embedded column; --embed makes such",
                          plan->lookups[next].unit + 1);
    return HILL_OK;
}

static int model_build(hill_model *model, const hill__model_parts *parts, hill_error *error)
{
    hill_shape shape = HILL_SHAPE_INIT;
    hill__encoder_shape(model->encoder, &shape);
    shape.rows = parts->facts.rows;
    HILL__TRY(hill__plan_answering(parts->recipe, &shape, &model->allocator, &model->plan, error));
    if (hill_plan_info(model->plan, &model->sizes) < 0)
        return hill__fail(error, HILL_EARGUMENT, "a plan without sizes");
    return hill__model_tables(model->encoder, model->plan, error);
}

/* The shape of a tensor as the plan has it, for a message: "[2, 4]". */
static void model_shape(const hill_tensor *tensor, char *out, size_t size)
{
    size_t length = 0;
    for (size_t k = 0; k < tensor->rank && length < size; k++) {
        int written = snprintf(out + length, size - length, "%s%zu", k ? ", " : "[", tensor->shape[k]);
        length += written > 0 ? (size_t)written : size;
    }
    if (length + 2 <= size)
        memcpy(out + length, "]", 2);
}

static bool model_fits(const hill__safetensor *found, const hill_tensor *tensor)
{
    bool same = strcmp(found->dtype, "F32") == 0 && found->rank == tensor->rank;
    for (size_t k = 0; same && k < tensor->rank; k++)
        same = found->shape[k] == tensor->shape[k];
    return same;
}

/* Finds a tensor of the plan in a file, under its name behind a prefix. */
static int model_find(const hill__safetensors *file, const char *name, const char *prefix, const hill_tensor *tensor,
                      const hill__safetensor **found, hill_error *error)
{
    char full[100], shape[120] = "[]";
    if (snprintf(full, sizeof full, "%s%s", prefix, tensor->name) < 0)
        full[0] = '\0';
    *found = hill__safetensors_find(file, full);
    model_shape(tensor, shape, sizeof shape);
    if (!*found)
        return hill__fail(error, HILL_EMODEL, "%s: there is no tensor %s, F32 %s, which the net has, in the header at byte 8",
                          name, full, shape);
    if (!model_fits(*found, tensor))
        return hill__fail(error, HILL_EMODEL, "%s: tensor %s isn't F32 %s, as the net has it, at byte %llu", name, full, shape,
                          (unsigned long long)(file->data_start + (*found)->begin));
    return HILL_OK;
}

/* Sees that the file has every tensor of the plan, and none besides but a checkpoint's. */
static int model_match(const hill__safetensors *file, const char *name, const hill_plan *plan, hill_error *error)
{
    hill_tensor tensor = HILL_TENSOR_INIT;
    const hill__safetensor *found;
    size_t count = 0;
    for (; hill_plan_tensor(plan, count, &tensor) == HILL_OK; count++)
        HILL__TRY(model_find(file, name, "", &tensor, &found, error));
    for (size_t i = 0; i < file->count; i++)
        count += strncmp(file->tensors[i].name, HILL__RUN_PREFIX, strlen(HILL__RUN_PREFIX)) == 0;
    if (count != file->count)
        return hill__fail(error, HILL_EMODEL, "%s: it has %zu tensors more than the net, in the header at byte 8", name,
                          file->count - count);
    return HILL_OK;
}

/* Room for the weights, which a file must have before any is taken, and the weights. */
static int model_weights(hill_model *model, const hill__model_parts *parts, hill_error *error)
{
    size_t bytes = 0;
    if (parts->file)
        HILL__TRY(model_match(parts->file, parts->name, model->plan, error));
    if (hill__mul(model->sizes.vector, sizeof *model->weights, &bytes))
        model->weights = hill__alloc_aligned(&model->allocator, bytes);
    if (!model->weights)
        return hill__fail_memory(error);
    if (parts->weights)
        memcpy(model->weights, parts->weights, bytes);
    return parts->file ? hill__model_load(parts->file, parts->name, model->plan, model->weights, error) : HILL_OK;
}

/* A text of the metadata that a model must have. */
static int model_meta(const hill__safetensors *file, const char *path, const char *key, const hill__json **out,
                      hill_error *error)
{
    *out = hill__safetensors_meta(file, key);
    if (!*out)
        return hill__fail(error, HILL_EMODEL, "%s: its metadata lacks \"%s\", in the header at byte 8", path, key);
    return HILL_OK;
}

/* Whether the file is a model at all, and of this format. */
static int model_format(const hill__safetensors *file, const char *path, hill_error *error)
{
    const hill__json *format = hill__safetensors_meta(file, "format");
    if (!hill__safetensors_meta(file, "recipe") || !format || strncmp(format->string, "downhill ", strlen("downhill ")) != 0)
        return hill__fail(
            error, HILL_EMODEL,
            "%s: is not a Downhill model: a safetensors file without a recipe; --start takes weights from such a file", path);
    if (strcmp(format->string, MODEL_FORMAT) != 0)
        return hill__fail(error, HILL_EMODEL, "%s: its format is \"%.40s\", this version reads \"" MODEL_FORMAT "\"", path,
                          format->string);
    return HILL_OK;
}

static int model_read_facts(const hill__safetensors *file, const char *path, hill__facts *facts, hill_error *error)
{
    for (size_t i = 0; i < MODEL_FACTS; i++) {
        const hill__json *text;
        uint64_t value;
        HILL__TRY(model_meta(file, path, model_facts[i].key, &text, error));
        if (!hill__parse_unsigned(text->string, text->length, &value))
            return hill__fail(error, HILL_EMODEL, "%s: its metadata \"%s\" is no count, at byte %lu", path, model_facts[i].key,
                              8 + (unsigned long)text->at);
        memcpy((char *)facts + model_facts[i].offset, &value, sizeof value);
    }
    return HILL_OK;
}

/* Turns a failure to use what stands in the file into one about the file. */
static int model_blame(int status, const hill_error *inner, const char *path, hill_error *error)
{
    if (status == HILL_EMEMORY)
        return hill__fail_memory(error);
    if (status < 0)
        return hill__fail(error, HILL_EMODEL, "%s: %.900s", path, inner->text);
    return status;
}

static int model_read_recipe(const hill__safetensors *file, const char *path, hill_recipe *recipe, hill_error *error)
{
    const hill__json *text;
    hill_error inner = HILL_ERROR_INIT;
    HILL__TRY(model_meta(file, path, "recipe", &text, error));
    int status = hill_recipe_parse(recipe, text->string, text->length, "recipe", &inner);
    return model_blame(status, &inner, path, error);
}

static int model_arith(const hill__safetensors *file, const char *path, hill_error *error)
{
    const hill__json *arith = hill__safetensors_meta(file, "arith");
    if (arith && strcmp(arith->string, MODEL_EXPANDED(HILL_ARITH)) != 0)
        return hill__fail(error, HILL_EMODEL,
                          "%s: was made under arith=%.20s and cannot be continued under arith=" MODEL_EXPANDED(HILL_ARITH),
                          path, arith->string);
    return HILL_OK;
}

int hill__model_recognise(const hill__safetensors *file, const char *name, hill_recipe *recipe, hill_error *error)
{
    HILL__TRY(model_format(file, name, error));
    HILL__TRY(model_arith(file, name, error));
    return model_read_recipe(file, name, recipe, error);
}

static int model_read(const hill__safetensors *file, const char *path, const hill_host *host, hill_recipe *recipe,
                      hill_model **out, hill_error *error)
{
    const hill__json *text;
    hill__model_parts parts = {.recipe = recipe, .file = file, .name = path};
    hill_error inner = HILL_ERROR_INIT;
    HILL__TRY(model_format(file, path, error));
    HILL__TRY(model_read_facts(file, path, &parts.facts, error));
    HILL__TRY(model_read_recipe(file, path, recipe, error));
    HILL__TRY(model_meta(file, path, "encoder", &text, error));
    int status = hill__encoder_parse(text->string, text->length, &file->allocator, &parts.encoder, &inner);
    HILL__TRY(model_blame(status, &inner, path, error));
    /* A dense layer has a weight for each input. Large pictures, of which a convolution sees a part at a time, are rows at most. */
    if (parts.encoder->width > MODEL_INPUTS_FREE && parts.encoder->width > file->file.length / sizeof(float)) {
        hill__encoder_free(parts.encoder);
        return hill__fail(error, HILL_EMODEL, "%s: encoder: more inputs than there are weights, at byte %lu", path,
                          8 + (unsigned long)text->at);
    }
    status = hill__model_new(&parts, host, out, &inner);
    if (status == HILL_EMODEL) /* which names the file already */
        return hill__fail(error, status, "%s", inner.text);
    return model_blame(status, &inner, path, error);
}

static void model_write_facts(const hill__facts *facts, char (*texts)[MODEL_COUNT_TEXT], hill__safetensors_meta_text *metadata)
{
    for (size_t i = 0; i < MODEL_FACTS; i++) {
        uint64_t value;
        memcpy(&value, (const char *)facts + model_facts[i].offset, sizeof value);
        if (snprintf(texts[i], MODEL_COUNT_TEXT, "%llu", (unsigned long long)value) < 0)
            texts[i][0] = '\0';
        metadata[i] = (hill__safetensors_meta_text){model_facts[i].key, texts[i]};
    }
}

/* The tensors of a file and where their floats are: the model's, then the extra ones. */
typedef struct model_list {
    hill_tensor *tensors;
    const float **values;
    size_t count;
} model_list;

static int model_list_fill(const hill_model *model, const hill__model_extra *extra, const model_list *list)
{
    const size_t own = model->sizes.tensors;
    for (size_t i = 0; i < own; i++) {
        list->tensors[i] = (hill_tensor)HILL_TENSOR_INIT;
        HILL__TRY(hill_plan_tensor(model->plan, i, &list->tensors[i]));
        list->values[i] = model->weights + list->tensors[i].offset;
    }
    for (size_t i = own; i < list->count; i++) {
        list->tensors[i] = extra->tensors[i - own];
        list->values[i] = extra->values[i - own];
    }
    return HILL_OK;
}

/* The whole file, once its texts are there. */
static int model_bytes(const hill_model *model, const hill__model_extra *extra, const char *recipe, const char *encoder,
                       hill__file_bytes *bytes, hill_error *error)
{
    char texts[MODEL_FACTS][MODEL_COUNT_TEXT];
    hill__safetensors_meta_text metadata[6 + MODEL_FACTS] = {{"digest", HILL__SEAL_NONE},
                                                             {"format", MODEL_FORMAT},
                                                             {"arith", MODEL_EXPANDED(HILL_ARITH)},
                                                             {"recipe", recipe},
                                                             {"encoder", encoder}};
    model_write_facts(&model->facts, texts, metadata + 5);
    if (extra)
        metadata[5 + MODEL_FACTS] = (hill__safetensors_meta_text){"run", extra->run};
    model_list list = {.count = model->sizes.tensors + (extra ? extra->count : 0)};
    list.tensors = hill__alloc(&model->allocator, list.count, sizeof *list.tensors);
    list.values = hill__alloc(&model->allocator, list.count, sizeof *list.values);
    int status = list.tensors && list.values ? model_list_fill(model, extra, &list) : hill__fail_memory(error);
    /* Without a digest, which a checkpoint has, a model's bytes are what they always were. */
    const size_t first = extra ? 0 : 1, end = 5 + MODEL_FACTS + (extra ? 1 : 0);
    hill__safetensors_draft draft = {metadata + first, end - first, list.tensors, list.count, list.values};
    if (status == HILL_OK)
        status = hill__safetensors_build(&draft, &model->allocator, bytes, error);
    if (status == HILL_OK)
        hill__safetensors_seal(bytes);
    hill__free(&model->allocator, list.values, list.count, sizeof *list.values);
    hill__free(&model->allocator, list.tensors, list.count, sizeof *list.tensors);
    return status;
}

int hill__model_write(const hill_model *model, const hill__model_extra *extra, const char *path, hill_error *error)
{
    hill_recipe *recipe;
    hill__file_bytes bytes = {NULL, 0, 0};
    hill__text encoder;
    HILL__TRY(hill__recipe_copy(hill_plan_recipe(model->plan), &model->allocator, &recipe, error));
    const char *recipe_text = hill_recipe_text(recipe);
    hill__text_init(&encoder, &model->allocator);
    hill__encoder_write(model->encoder, &encoder);
    int status = HILL_OK;
    if (!recipe_text || encoder.failed)
        status = hill__fail_memory(error);
    else
        status = model_bytes(model, extra, recipe_text, hill__text_string(&encoder), &bytes, error);
    hill__text_free(&encoder);
    hill_recipe_free(recipe);
    if (status == HILL_OK)
        status = hill__file_write(path, bytes.data, bytes.length, &model->allocator, error);
    hill__free(&model->allocator, bytes.data, bytes.capacity, 1);
    return status;
}

hill_host hill__model_host(const hill_host *host, char isa[16])
{
    hill_host own = HILL_HOST_INIT;
    if (host)
        memcpy(&own, host, host->size < sizeof own ? host->size : sizeof own);
    own.size = sizeof own;
    if (own.isa) {
        size_t length = strlen(own.isa); /* a longer one is no kernel row's name, cut or whole */
        memcpy(isa, own.isa, length < 15 ? length : 15);
        isa[length < 15 ? length : 15] = '\0';
        own.isa = isa;
    }
    return own;
}

size_t hill__model_rows(const hill_model *model)
{
    return model->plan ? model->plan->block_rows : 0;
}

int hill__model_new(const hill__model_parts *parts, const hill_host *host, hill_model **out, hill_error *error)
{
    hill_allocator allocator = hill__allocator(host);
    *out = NULL;
    hill_model *model = hill__alloc(&allocator, 1, sizeof *model);
    if (!model) {
        hill__encoder_free(parts->encoder);
        return hill__fail_memory(error);
    }
    model->allocator = allocator;
    model->host = hill__model_host(host, model->isa);
    model->sizes = (hill_plan_sizes)HILL_PLAN_SIZES_INIT;
    model->encoder = parts->encoder;
    model->facts = parts->facts;
    int status = model_build(model, parts, error);
    if (status == HILL_OK)
        status = model_weights(model, parts, error);
    if (status < 0) {
        hill_model_free(model);
        return status;
    }
    *out = model;
    return HILL_OK;
}

int hill__model_load_part(const hill__safetensors *file, const char *name, const char *prefix, const hill_plan *plan,
                          float *weights, hill_error *error)
{
    hill_tensor tensor = HILL_TENSOR_INIT;
    const hill__safetensor *found;
    for (size_t i = 0; hill_plan_tensor(plan, i, &tensor) == HILL_OK; i++) {
        size_t at = 0;
        HILL__TRY(model_find(file, name, prefix, &tensor, &found, error));
        if (!hill__safetensors_copy(file, found, weights + tensor.offset, &at))
            return hill__fail(error, HILL_EMODEL, "%s: tensor %s holds a value that is no finite number, at byte %zu", name,
                              found->name, at);
    }
    return HILL_OK;
}

int hill__model_load(const hill__safetensors *file, const char *name, const hill_plan *plan, float *weights, hill_error *error)
{
    HILL__TRY(model_match(file, name, plan, error));
    return hill__model_load_part(file, name, "", plan, weights, error);
}

int hill__model_start(const char *path, const hill_plan *plan, const hill_host *host, float *weights, hill_error *error)
{
    hill__safetensors *file;
    HILL__TRY(hill__safetensors_read(path, host, &file, error));
    int status = model_arith(file, path, error);
    if (status == HILL_OK)
        status = hill__model_load(file, path, plan, weights, error);
    hill__safetensors_free(file);
    return status;
}

const hill__schema *hill__model_schema(const hill_model *model)
{
    return model ? &model->encoder->schema : NULL;
}

int hill_model_open(const char *path, const hill_host *host, hill_model **out, hill_error *error)
{
    hill__safetensors *file;
    hill_recipe *recipe;
    *out = NULL;
    if (hill__path_kind_of(path) == HILL__PATH_FOLDER)
        return hill__fail(error, HILL_EMODEL, "%s: is not a Downhill model: it is a directory", path);
    HILL__TRY(hill__safetensors_read(path, host, &file, error));
    int status = hill_recipe_new(host, &recipe, error);
    if (status == HILL_OK) {
        status = model_read(file, path, host, recipe, out, error);
        hill_recipe_free(recipe);
    }
    hill__safetensors_free(file);
    if (status < 0) {
        hill_model_free(*out);
        *out = NULL;
    }
    return status;
}

void hill_model_free(hill_model *model)
{
    if (!model)
        return;
    hill_allocator allocator = model->allocator;
    hill_run_free(model->run);
    hill__free(&allocator, model->inputs, hill__model_rows(model), model->sizes.inputs * sizeof *model->inputs);
    hill__free(&allocator, model->outputs, hill__model_rows(model), model->sizes.outputs * sizeof *model->outputs);
    hill__free_aligned(&allocator, model->weights, model->sizes.vector * sizeof *model->weights);
    hill_plan_free(model->plan);
    hill__encoder_free(model->encoder);
    hill__free(&allocator, model, 1, sizeof *model);
}

int hill_model_save(const hill_model *model, const char *path, hill_error *error)
{
    return hill__model_write(model, NULL, path, error);
}

int hill_model_info(const hill_model *model, hill_model_facts *facts)
{
    if (!model || !facts || facts->size < sizeof *facts)
        return HILL_EARGUMENT;
    const hill__encoder *encoder = model->encoder;
    *facts = (hill_model_facts){
        .size = facts->size,
        .task = encoder->task,
        .columns = encoder->input_count,
        .inputs = model->sizes.inputs,
        .outputs = model->sizes.outputs,
        .classes = encoder->target.classes.count,
        .parameters = model->sizes.parameters,
        .target = encoder->target.name,
        .rows = model->facts.rows,
        .epochs = model->facts.epochs,
        .steps = model->facts.steps,
        .best_epoch = model->facts.best_epoch,
    };
    return HILL_OK;
}

const hill_recipe *hill_model_recipe(const hill_model *model)
{
    return hill_plan_recipe(model->plan);
}

const char *hill_model_class(const hill_model *model, size_t i)
{
    const hill__names *classes = &model->encoder->target.classes;
    return i < classes->count ? classes->items[i] : NULL;
}

const char *hill_model_column(const hill_model *model, size_t i)
{
    return hill__lines_at(&model->encoder->lines, i);
}

const hill_plan *hill_model_plan(const hill_model *model)
{
    return model->plan;
}

float *hill_model_weights(hill_model *model)
{
    return model->weights;
}
