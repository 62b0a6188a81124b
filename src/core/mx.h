// The array engine under the name by which everything above it calls it: MLX's C++ API.
#pragma once

#include "core/array.h"
#include "core/dtype.h"
#include "core/eval.h"
#include "core/fast.h"
#include "core/io.h"
#include "core/memory.h"
#include "core/ops/create.h"
#include "core/ops/elementwise.h"
#include "core/ops/index.h"
#include "core/ops/matmul.h"
#include "core/ops/operators.h"
#include "core/ops/quantized.h"
#include "core/ops/reduce.h"
#include "core/ops/shape.h"
#include "core/ops/sort.h"
#include "core/random.h"
#include "core/stream.h"

namespace hearth {
namespace mx = core;
}  // namespace hearth
