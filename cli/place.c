/*
 * place.c - where a trained model goes.
 *
 * Everything that can refuse a model at the end is asked before training starts; a file that isn't a Downhill model is never
 * replaced.
 */
#define _XOPEN_SOURCE 700

#include "place.h"

#include "input.h"
#include "output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define TEMP_TRIES 100

void place_stem(text *out, const char *data)
{
    size_t end = strlen(data);
    while (end > 1 && data[end - 1] == '/')
        end--;
    size_t start = end;
    while (start > 0 && data[start - 1] != '/')
        start--;
    const char *name = data + start;
    size_t length = end - start;
    if (!input_is_folder(data)) {
        if (length > 3 && memcmp(name + length - 3, ".gz", 3) == 0)
            length -= 3;
        for (size_t i = length; i-- > 1;)
            if (name[i] == '.') {
                length = i;
                break;
            }
    }
    if (length == 0 || (length == 1 && (*name == '-' || *name == '.')) || (length == 2 && memcmp(name, "..", 2) == 0)) {
        name = "model";
        length = 5;
    }
    text_bytes(out, name, length);
}

void place_default(text *out, const char *data)
{
    place_stem(out, data);
    text_string(out, ".safetensors");
}

/*
 * 0 or an errno: whether a file can be made of the name that the library writes to before it renames. That is beside the file
 * that a link leads to; what a kill leaves of it is swept away with what else it left.
 */
static int probe(const char *path)
{
    char *real = realpath(path, NULL);
    int problem = real || errno != ENOMEM ? EEXIST : ENOMEM;
    for (int i = 0; i < TEMP_TRIES && problem == EEXIST; i++) {
        text name = TEXT_INIT;
        text_format(&name, "%s.tmp%d", real ? real : path, i);
        problem = name.failed ? ENOMEM : output_probe(text_get(&name));
        text_free(&name);
    }
    free(real);
    return problem;
}

int place_check(const char *path, const hill_host *host)
{
    struct stat facts;
    if (stat(path, &facts) == 0) {
        if (S_ISDIR(facts.st_mode))
            return output_error(CODE_CREATE, "%s: is a folder; --out FILE says where the model goes", path);
        hill_model *model = NULL;
        hill_error error = HILL_ERROR_INIT;
        int status = S_ISREG(facts.st_mode) ? hill_model_open(path, host, &model, &error) : HILL_EMODEL;
        hill_model_free(model);
        if (status == HILL_EMODEL)
            return output_error(CODE_CREATE,
                                "%s: exists and isn't a Downhill model; it is left alone: --out FILE says where the model goes",
                                path);
        if (status != HILL_OK)
            return output_error(status == HILL_EINPUT ? CODE_CREATE : output_code(status), "%s", error.text);
    } else if (errno != ENOENT) {
        return output_error(output_problem(errno, CODE_CREATE), "%s: cannot be created: %s", path, strerror(errno));
    }
    int problem = probe(path);
    if (!problem)
        return 0;
    return output_error(output_problem(problem, CODE_CREATE), "%s: cannot be created: %s", path, strerror(problem));
}
