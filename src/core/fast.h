// Operations that models spend their time in, each one kernel.
//
// Source: mlx/fast.h.
#pragma once

#include <optional>
#include <string>

#include "core/array.h"
#include "core/stream.h"

namespace hearth::core::fast {

// x / rms(x) * weight over the last axis, in float32; the result has the type of x promoted with the weight's.
// weight [x.shape(-1)].
array rms_norm(const array& x, const std::optional<array>& weight, float eps, StreamOrDevice s = {});

// (x - mean) / deviation * weight + bias over the last axis, in float32; the result has the type of x promoted with the
// weight's and the bias's.
array layer_norm(const array& x, const std::optional<array>& weight, const std::optional<array>& bias, float eps,
                 StreamOrDevice s = {});

// Rotates the first `dims` of the last axis of x [..., T, D] by angle (offset + t) * scale / freqs[i], where
// freqs [dims/2] is base^(2i/dims) unless given. traditional pairs (2i, 2i+1), else (i, i + dims/2).
// Exactly one of base and freqs. As an array, offset is a scalar or [x.shape(0)], one for each sequence.
array rope(const array& x, int dims, bool traditional, std::optional<float> base, float scale, int offset,
           const std::optional<array>& freqs = std::nullopt, StreamOrDevice s = {});
array rope(const array& x, int dims, bool traditional, std::optional<float> base, float scale, const array& offset,
           const std::optional<array>& freqs = std::nullopt, StreamOrDevice s = {});

// softmax(scale * q kᵀ + mask) v, never holding all scores. queries [B, H, L, D], keys [B, Hkv, S, D],
// values [B, Hkv, S, Dv] -> [B, H, L, Dv]; H is a multiple of Hkv. mask_mode is "" or "causal" (query t sees keys up to
// S - L + t); or mask_arr, which broadcasts to [B, H, L, S], is bool (true: see) or added. sinks [H] join the softmax's
// sum.
array scaled_dot_product_attention(const array& queries, const array& keys, const array& values, float scale,
                                   const std::string& mask_mode = "", std::optional<array> mask_arr = {},
                                   const std::optional<array>& sinks = {}, bool force_fused = false,
                                   StreamOrDevice s = {});

}  // namespace hearth::core::fast
