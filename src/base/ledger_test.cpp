#include "base/ledger.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "base/error.h"

namespace hearth {
namespace {

using Account = Ledger::Account;

TEST(Ledger, CountsEachAccountAndTheTotal) {
  Ledger ledger(100);
  ledger.enter(Account::weights, 30);
  ledger.enter(Account::kv_cache, 20);
  EXPECT_EQ(ledger.bytes(Account::weights), 30u);
  EXPECT_EQ(ledger.total(), 50u);
  ledger.leave(Account::weights, 30);
  EXPECT_EQ(ledger.total(), 20u);
}

TEST(Ledger, RefusesWithTheNumbersAndEntersNothing) {
  Ledger ledger(100);
  ledger.enter(Account::weights, 90);
  try {
    ledger.enter(Account::kv_cache, 11);
    FAIL() << "entered beyond the limit";
  } catch (const OutOfMemory& error) {
    EXPECT_EQ(error.asked(), 11u);
    EXPECT_EQ(error.free(), 10u);
    EXPECT_EQ(error.limit(), 100u);
  }
  EXPECT_EQ(ledger.bytes(Account::kv_cache), 0u);
  EXPECT_EQ(ledger.total(), 90u);
}

TEST(Ledger, AnAccountMayHaveALimitOfItsOwn) {
  Ledger ledger(100);
  ledger.set_limit(Account::prefix_store, 10);
  EXPECT_THROW(ledger.enter(Account::prefix_store, 11), OutOfMemory);
  ledger.enter(Account::prefix_store, 10);
  ledger.enter(Account::arrays, 90);
}

TEST(Ledger, RefusesSumsThatWouldOverflow) {
  Ledger ledger(100);
  ledger.enter(Account::scratch, 50);
  EXPECT_THROW(ledger.enter(Account::scratch, ~size_t{0} - 10), OutOfMemory);
}

TEST(Ledger, IsBackWhereItWasAfterManyThreads) {
  Ledger ledger(1000);
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10000; ++i) {
        ledger.enter(Account::arrays, 7);
        ledger.leave(Account::arrays, 7);
      }
    });
  }
  threads.clear();
  EXPECT_EQ(ledger.total(), 0u);
}

}  // namespace
}  // namespace hearth
