// Attention for a vector type V of 16 lanes, included by the ISA files inside their target region.
//
// A tile is all query heads of one key/value head for a few neighbouring tokens. For each span of keys the tile
// computes scores, exponentiates them row by row, weights the values with them (attention_product_inl.h), and merges
// the span into the running state. Neither the tile's height nor its place changes a bit. When there are too few tiles
// for the threads (decoding), spans become work items of their own: their states go to scratch and are merged
// afterwards, in the same order.
#pragma once

namespace hearth::cpu {

// Softmax in progress of `rows` rows: maximum so far, sum of exp(score - maximum), values weighted alike.
struct SoftmaxState {
  float* max;     // [rows]
  float* sum;     // [rows]
  float* values;  // [rows][value_stride]
};

template <class V, class T>
class AttentionTile {
 public:
  static constexpr int kMaxRows = 96;  // more only where one token has more
  static constexpr int kSpan = kAttentionSpan;

  static int round_up(int n) { return (n + V::kWidth - 1) / V::kWidth * V::kWidth; }
  // Floats from row to row of queries, keys and values in scratch: whole vectors, the rest of the last one zeros.
  static int value_stride(const AttentionArgs& args) { return round_up(args.value_size); }
  static int tokens_per_tile(const AttentionArgs& args) { return max_of(1, kMaxRows / (args.heads / args.kv_heads)); }
  static int most_rows(const AttentionArgs& args) { return max_of(kMaxRows, args.heads / args.kv_heads); }

  // Tokens [first, first + count) of the run, query heads of kv_head.
  AttentionTile(const AttentionArgs& args, const AttentionRun& run, int kv_head, int first, int count)
      : args_(args),
        run_(run),
        kv_head_(kv_head),
        first_(first),
        count_(count),
        group_(args.heads / args.kv_heads),
        rows_(count * group_),
        key_stride_(round_up(args.head_size)),
        value_stride_(value_stride(args)),
        k_(static_cast<const T*>(run.k) + kv_head * run.k_head_stride),
        v_(static_cast<const T*>(run.v) + kv_head * run.v_head_stride) {
    const size_t rows = rows_;
    const size_t sizes[] = {rows * key_stride_,
                            size_t(kSpan) * key_stride_,
                            size_t(kSpan) * value_stride_,
                            rows * kSpan,
                            rows * value_stride_,
                            rows * value_stride_,
                            rows * 4};
    size_t total = 0;
    for (size_t size : sizes) total += (size + 15) / 16 * 16;
    float* next = thread_scratch(ScratchUse::kTile, total);
    float** const parts[] = {&q_, &wide_k_, &wide_v_, &scores_, &state_.values, &span_.values, &state_.max};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
      *parts[i] = next;
      next += (sizes[i] + 15) / 16 * 16;
    }
    state_.sum = state_.max + rows_;
    span_.max = state_.sum + rows_;
    span_.sum = span_.max + rows_;
    load_q();
  }

  int rows() const { return rows_; }
  // Room for a running state and for one span's, in the thread's scratch.
  SoftmaxState& state() { return state_; }
  SoftmaxState& span() { return span_; }

  // One past the last span that the tile sees.
  int64_t span_end() const { return (seen_keys(args_, run_, first_ + count_ - 1).window.end + kSpan - 1) / kSpan; }

  // The first span from `span` on that the tile may see: between the kept tokens and the window lies nothing.
  int64_t next_span(int64_t span) const {
    const int64_t kept = seen_keys(args_, run_, first_ + count_ - 1).kept.end;
    const int64_t window = seen_keys(args_, run_, first_).window.begin;
    return span * kSpan < kept ? span : max_of(span, window / kSpan);
  }

  void start(const SoftmaxState& state) const {
    for (int r = 0; r < rows_; r++) {
      state.max[r] =
          args_.sinks ? args_.sinks[kv_head_ * group_ + r % group_] : -std::numeric_limits<float>::infinity();
      state.sum[r] = args_.sinks ? 1.0f : 0.0f;
    }
    fill(state.values, size_t(rows_) * value_stride_, 0.0f);
  }

  // The state of every row over the keys of span number `index`; sum is 0 where a row sees none of them.
  void attend(int64_t index, const SoftmaxState& span) {
    const int64_t base = index * kSpan;
    SeenColumns all{0, kSpan, 0};  // seen by any row; rows that lie before the kept tokens' end make the two overlap
    for (int t = 0; t < count_; t++) {
      const SeenColumns c = columns_[t] = columns_of(seen_keys(args_, run_, first_ + t), base);
      all.kept = max_of(all.kept, c.kept);
      if (c.begin < c.end) all = {all.kept, min_of(all.begin, c.begin), max_of(all.end, c.end)};
    }
    find_slots(base, all);
    score_all(all);
    for (int r = 0; r < rows_; r++) exponentiate(r, span);
    add_values(all, span);
  }

  // state = state joined with span, row by row. Spans must come in ascending order.
  void merge(const SoftmaxState& state, const SoftmaxState& span) const {
    for (int r = 0; r < rows_; r++) {
      if (span.sum[r] == 0) continue;  // saw nothing of it
      const float max = max_of(state.max[r], span.max[r]);
      using Register = typename V::Register;
      float weights[Register::kWidth] = {state.max[r] - max, span.max[r] - max};
      exp(Register::load(weights)).store(weights);
      const V old_weight = V::all(weights[0]), new_weight = V::all(weights[1]);
      state.max[r] = max;
      state.sum[r] = state.sum[r] * weights[0] + span.sum[r] * weights[1];
      float* values = state.values + size_t(r) * value_stride_;
      const float* added = span.values + size_t(r) * value_stride_;
      for (int d = 0; d < value_stride_; d += V::kWidth) {
        fma(V::load(values + d), old_weight, V::load(added + d) * new_weight).store(values + d);
      }
    }
  }

  void finish(const SoftmaxState& state) const {
    for (int r = 0; r < rows_; r++) {
      T* out = static_cast<T*>(run_.out) + (first_ + r / group_) * run_.out_token_stride +
               (kv_head_ * group_ + r % group_) * run_.out_head_stride;
      const float* values = state.values + size_t(r) * value_stride_;
      const V divisor = V::all(state.sum[r] == 0 ? 1.0f : state.sum[r]);
      int d = 0;
      for (; d + V::kWidth <= args_.value_size; d += V::kWidth) (V::load(values + d) / divisor).store(out + d);
      if (d < args_.value_size) (V::load(values + d) / divisor).store_first(out + d, args_.value_size - d);
    }
  }

 private:
  // Rows are ordered token by token, within a token head by head: neighbours see nearly the same keys.
  void load_q() {
    for (int r = 0; r < rows_; r++) {
      widen(static_cast<const T*>(run_.q) + (first_ + r / group_) * run_.q_token_stride +
                (kv_head_ * group_ + r % group_) * run_.q_head_stride,
            args_.head_size, q_ + size_t(r) * key_stride_);
    }
  }

  static void widen(const T* x, int size, float* out) {
    int d = 0;
    for (; d + V::kWidth <= size; d += V::kWidth) V::load(x + d).store(out + d);
    if (d < size) V::load_first(x + d, size - d).store(out + d);
  }

  // Keys and values are read where they lie when that costs nothing more than reading them widened: they are floats, or
  // so few rows share them that widening first would not pay. Rows in scratch end with a whole vector.
  bool in_place(int size, int few_rows) const { return size % V::kWidth == 0 && (sizeof(T) == 4 || rows_ <= few_rows); }

  void find_slots(int64_t base, const SeenColumns& all) {
    const auto walk = [&](int begin, int end) {
      for (int c = begin; c < end;) {
        int64_t slot;
        const int64_t length = contiguous_slots(run_, base + c, base + end, &slot);
        for (int64_t i = 0; i < length; i++) slots_[c++] = slot + i;
      }
    };
    fill<int64_t>(slots_, kSpan, 0);  // some key for the columns that nobody sees
    walk(0, all.kept);
    walk(max_of(all.begin, all.kept), all.end);
  }

  void score_all(const SeenColumns& all) {
    if (in_place(args_.head_size, 2 * kScoreRows<V>)) {
      score_with(all, [this](int c) { return k_ + slots_[c] * run_.k_slot_stride; });
      return;
    }
    for (int c = all.first(); c < all.last(); c++) {
      widen(k_ + slots_[c] * run_.k_slot_stride, args_.head_size, wide_k_ + size_t(c) * key_stride_);
    }
    score_with(all, [this](int c) { return static_cast<const float*>(wide_k_) + size_t(c) * key_stride_; });
  }

  // Scores of whole registers of keys: those that a row does not see are computed from some key, and never used.
  template <class F>
  void score_with(const SeenColumns& all, F key_at) {
    constexpr int kBlock = 32;  // keys that stay in L1 while all rows pass by
    constexpr int kKeys = V::Register::kWidth;
    for (int c = all.first() / kKeys * kKeys; c < all.last(); c += kBlock) {
      for (int r = 0; r < rows_; r += kScoreRows<V>) {
        const int count = min_of(kScoreRows<V>, rows_ - r);
        int last = 0;
        for (int i = r; i < r + count; i++) last = max_of(last, columns_[i / group_].last());
        score<V>(count, q_ + size_t(r) * key_stride_, key_stride_, key_at, c,
                 min_of(c + kBlock, (last + kKeys - 1) / kKeys * kKeys), key_stride_, scores_ + size_t(r) * kSpan,
                 kSpan);
      }
    }
  }

  // The score's lanes that the row sees; `other` elsewhere.
  static V keep_seen(V x, int column, const SeenColumns& seen, V other) {
    alignas(64) static constexpr float kIota[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const V c = V::load(kIota) + V::all(static_cast<float>(column));
    const V late = select(less(c, V::all(static_cast<float>(seen.begin))), other,
                          select(less(c, V::all(static_cast<float>(seen.end))), x, other));
    return select(less(c, V::all(static_cast<float>(seen.kept))), x, late);
  }

  static bool sees_all(int column, const SeenColumns& seen) {
    const int end = column + V::kWidth;
    return end <= seen.kept || (column >= seen.begin && end <= seen.end);
  }
  static bool sees_none(int column, const SeenColumns& seen) {
    return column >= seen.kept && (column + V::kWidth <= seen.begin || column >= seen.end);
  }

  // Turns a row of products into weights exp(score - max); columns the row does not see become 0 or stay unread.
  void exponentiate(int r, const SoftmaxState& span) {
    const SeenColumns seen = columns_[r / group_];
    float* row = scores_ + size_t(r) * kSpan;
    const V nothing = V::all(-std::numeric_limits<float>::infinity());
    V max = nothing;
    const int end = seen.last();
    for (int c = 0; c < end; c += V::kWidth) {
      if (sees_none(c, seen)) continue;
      V score = V::load(row + c) * V::all(args_.scale);
      if (args_.softcap > 0) score = V::all(args_.softcap) * tanh(score / V::all(args_.softcap));
      if (!sees_all(c, seen)) score = keep_seen(score, c, seen, nothing);
      score.store(row + c);
      max = hearth::cpu::max(score, max);
    }
    const float top = max_lanes(max);
    V sum = V::zero();
    for (int c = 0; c < end; c += V::kWidth) {
      if (sees_none(c, seen)) continue;
      V weight = V::load(row + c) - V::all(top);
      if (sees_all(c, seen)) {
        weight = exp(weight);
      } else {  // exp(-inf) would underflow, which takes a hundred cycles
        weight = keep_seen(exp(keep_seen(weight, c, seen, V::zero())), c, seen, V::zero());
      }
      weight.store(row + c);
      sum = sum + weight;
    }
    span.max[r] = top;
    span.sum[r] = sum_lanes(sum);
  }

  // span.values = weights * V.
  void add_values(const SeenColumns& all, const SoftmaxState& span) {
    fill(span.values, size_t(rows_) * value_stride_, 0.0f);
    for (const bool kept : {true, false}) {
      const int begin = kept ? 0 : all.begin, end = kept ? all.kept : all.end;
      if (begin >= end) continue;
      if (in_place(args_.value_size, kRegisterRows) && slots_[end - 1] - slots_[begin] == end - 1 - begin) {
        add_range(v_ + (slots_[begin] - begin) * run_.v_slot_stride, run_.v_slot_stride, kept, span.values);
      } else {
        for (int c = begin; c < end; c++) {
          widen(v_ + slots_[c] * run_.v_slot_stride, args_.value_size, wide_v_ + size_t(c) * value_stride_);
        }
        add_range(static_cast<const float*>(wide_v_), value_stride_, kept, span.values);
      }
    }
  }

  // Adds the kept columns or the window's, `column 0` at v. Rows of a register tile share the columns that all of them
  // see; what a row sees before and after those it adds alone, so that no unseen value is ever touched.
  template <class B>
  void add_range(const B* v, int64_t stride, bool kept, float* out) {
    for (int r = 0; r < rows_; r += kRegisterRows) {
      const int count = min_of(kRegisterRows, rows_ - r);
      int begin = 0, end = kSpan;
      for (int i = r; i < r + count; i++) {
        const auto [b, e] = range_of(i, kept);
        begin = max_of(begin, b);
        end = min_of(end, e);
      }
      end = max_of(begin, end);
      for (int i = r; i < r + count; i++) {
        const auto [b, e] = range_of(i, kept);
        add_columns(v, stride, out, i, 1, b, min_of(begin, e));
      }
      add_columns(v, stride, out, r, count, begin, end);
      for (int i = r; i < r + count; i++) {
        const auto [b, e] = range_of(i, kept);
        add_columns(v, stride, out, i, 1, max_of(end, b), e);
      }
    }
  }

  struct Columns {
    int begin, end;
  };
  Columns range_of(int r, bool kept) const {
    const SeenColumns& c = columns_[r / group_];
    return kept ? Columns{0, c.kept} : Columns{c.begin, c.end};
  }

  template <class B>
  void add_columns(const B* v, int64_t stride, float* out, int r, int rows, int begin, int end) {
    if (begin >= end) return;
    multiply<V>(scores_ + size_t(r) * kSpan + begin, kSpan, v + begin * stride, stride, out + size_t(r) * value_stride_,
                value_stride_, end - begin, rows, value_stride_);
  }

  const AttentionArgs& args_;
  const AttentionRun& run_;
  const int kv_head_, first_, count_, group_, rows_, key_stride_, value_stride_;
  const T *const k_, *const v_;  // of this head
  float *q_, *wide_k_, *wide_v_, *scores_;
  SoftmaxState state_, span_;
  SeenColumns columns_[kMaxRows];
  int64_t slots_[kSpan];
};

// The work items of a call: every run's tiles, run by run, within a run head by head.
struct TileIndex {
  const AttentionRun* run;
  int kv_head, first, count;
};

template <class V, class T>
class AttentionCall {
 public:
  using Tile = AttentionTile<V, T>;

  explicit AttentionCall(const AttentionArgs& args) : args_(args), tokens_per_tile_(Tile::tokens_per_tile(args)) {
    for (int r = 0; r < args.run_count; r++) {
      const AttentionRun& run = args.runs[r];
      tiles_ += tiles_of(run);
      spans_ = max_of(spans_, (run.keys + kAttentionSpan - 1) / kAttentionSpan);
      work_ += double(run.tokens) * args.heads * run.keys * (args.head_size + args.value_size);
    }
  }

  void run() {
    const size_t threads = ThreadPool::global().size();
    if (work_ < kSmallestParallelWork || threads == 1) {
      for (size_t i = 0; i < tiles_; i++) attend_tile(i);
    } else if (tiles_ >= 4 * threads || spans_ == 1) {
      // A causal run's last tiles are the longest: first come, best balanced.
      parallel_for(tiles_, 1, [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; i++) attend_tile(tiles_ - 1 - i);
      });
    } else {
      attend_by_spans();
    }
  }

 private:
  // Multiply-adds below which a fork costs more than it saves (about 2 us of work).
  static constexpr double kSmallestParallelWork = 1 << 16;
  static constexpr size_t kLargestSharedFloats = 1 << 20;

  size_t tiles_of(const AttentionRun& run) const {
    return size_t(args_.kv_heads) * ((run.tokens + tokens_per_tile_ - 1) / tokens_per_tile_);
  }

  TileIndex find(size_t index) const {
    const AttentionRun* run = args_.runs;
    for (; index >= tiles_of(*run); run++) index -= tiles_of(*run);
    const int kv_head = index % args_.kv_heads, first = index / args_.kv_heads * tokens_per_tile_;
    return {run, kv_head, first, min_of(tokens_per_tile_, run->tokens - first)};
  }

  Tile tile(size_t index) const {
    const TileIndex t = find(index);
    return Tile(args_, *t.run, t.kv_head, t.first, t.count);
  }

  void attend_tile(size_t index) const {
    Tile tile = this->tile(index);
    tile.start(tile.state());
    for (int64_t s = tile.next_span(0); s < tile.span_end(); s = tile.next_span(s + 1)) {
      tile.attend(s, tile.span());
      tile.merge(tile.state(), tile.span());
    }
    tile.finish(tile.state());
  }

  // Few tiles, many keys: spans are attended to in any order, as many as the scratch holds, then merged in theirs.
  void attend_by_spans() {
    const size_t stride = Tile::value_stride(args_), rows = Tile::most_rows(args_), floats = rows * (stride + 2);
    const size_t wave = clamp_to<size_t>(kLargestSharedFloats / (tiles_ * floats), 1, spans_);
    float* shared = thread_scratch(ScratchUse::kShared, tiles_ * (wave + 1) * floats);
    const auto state = [&](size_t tile, size_t place) {  // place 0: the running state
      float* at = shared + (tile * (wave + 1) + place) * floats;
      return SoftmaxState{at + rows * stride, at + rows * (stride + 1), at};
    };
    for (size_t i = 0; i < tiles_; i++) tile(i).start(state(i, 0));
    for (int64_t first = 0; first < spans_; first += wave) {
      const auto has = [&](const Tile& tile, size_t s) {
        return first + int64_t(s) < tile.span_end() && tile.next_span(first + s) == first + int64_t(s);
      };
      parallel_for(tiles_ * wave, 1, [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; i++) {
          Tile tile = this->tile(i / wave);
          if (has(tile, i % wave)) tile.attend(first + i % wave, state(i / wave, 1 + i % wave));
        }
      });
      for (size_t i = 0; i < tiles_; i++) {
        const Tile tile = this->tile(i);
        for (size_t s = 0; s < wave; s++) {
          if (has(tile, s)) tile.merge(state(i, 0), state(i, 1 + s));
        }
      }
    }
    for (size_t i = 0; i < tiles_; i++) tile(i).finish(state(i, 0));
  }

  const AttentionArgs& args_;
  const int tokens_per_tile_;
  size_t tiles_ = 0;
  int64_t spans_ = 0;
  double work_ = 0;
};

template <class V>
void attention(const AttentionArgs& args) {
  switch (args.type) {
    case Dtype::kFloat16: return AttentionCall<V, Float16>(args).run();
    case Dtype::kBfloat16: return AttentionCall<V, Bfloat16>(args).run();
    default: return AttentionCall<V, float>(args).run();
  }
}

}  // namespace hearth::cpu
