#include "cli/commands.h"

int main(int argc, char** argv) { return hearth::cli::run({argv + 1, argv + argc}); }
