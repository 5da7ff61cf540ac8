#include <downhill.h>
#include <stdio.h>

int main(void)
{
    hill_recipe *recipe = NULL;
    int status = hill_recipe_new(NULL, &recipe, NULL);
    printf("%s %s\n", hill_version(), status == HILL_OK ? hill_recipe_get(recipe, "rule") : hill_status_text(status));
    hill_recipe_free(recipe);
}
