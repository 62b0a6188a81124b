// The commands of `hearth`, one file each. They write answers to standard output and everything else to standard error.
//
// Errors leave as exceptions: run() prints them in one line and exits with 2.
#pragma once

#include "cli/command_line.h"

namespace hearth::cli {

// Each returns the exit status.
int run_generate(const Arguments& arguments);
int run_chat(const Arguments& arguments);
int run_bench(const Arguments& arguments);
int run_perplexity(const Arguments& arguments);
int run_verify(const Arguments& arguments);
int run_convert(const Arguments& arguments);
int run_tokenize(const Arguments& arguments);
int run_template(const Arguments& arguments);
int run_parse(const Arguments& arguments);

// What `arguments` (without the program's name) ask for, errors included.
int run(const Arguments& arguments);

}  // namespace hearth::cli
