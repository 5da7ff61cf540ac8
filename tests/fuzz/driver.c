/*
 * driver.c - the main of a target where no fuzzer has its own: runs it on the files named, and on those in the folders named.
 */
#include <dirent.h>

#include "fuzz.h"

static unsigned long runs;

/* Says the name first, so that the last one said is the one that ended the process. */
static void run_file(const char *path)
{
    hill_allocator allocator = hill__allocator(NULL);
    hill__file_bytes bytes;
    printf("%s\n", path);
    fflush(stdout);
    must(hill__file_read(path, &allocator, &bytes, NULL) == HILL_OK);
    hill__file_bytes input = fuzz_copy(bytes.data, bytes.length, &allocator);
    (void)LLVMFuzzerTestOneInput(input.data, input.length);
    hill__bytes_free(&allocator, &bytes);
    hill__bytes_free(&allocator, &input);
    runs++;
}

static void run_folder(const char *path)
{
    char name[1000];
    DIR *folder = opendir(path);
    must(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (entry->d_name[0] != '.') {
            must(snprintf(name, sizeof name, "%s/%s", path, entry->d_name) < (int)sizeof name);
            run_file(name);
        }
    closedir(folder);
}

int main(int count, char **words)
{
    for (int i = 1; i < count; i++)
        if (hill__path_kind_of(words[i]) == HILL__PATH_FOLDER)
            run_folder(words[i]);
        else
            run_file(words[i]);
    printf("%lu runs\n", runs);
    return 0;
}
