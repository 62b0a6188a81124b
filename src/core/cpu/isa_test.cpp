#include "core/cpu/isa.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <stdexcept>

#include "core/cpu/kernels.h"

namespace hearth::cpu {
namespace {

TEST(Isa, ListsTheScalarSetFirstAndEachOnce) {
  ASSERT_FALSE(available_isas().empty());
  EXPECT_EQ(available_isas().front(), Isa::kScalar);
  for (size_t i = 1; i < available_isas().size(); i++) EXPECT_LT(available_isas()[i - 1], available_isas()[i]);
}

TEST(Isa, TheTableInUseIsThatOfTheForcedInstructionSet) {
  const Isa before = active_isa();
  for (Isa isa : available_isas()) {
    use_isa(isa);
    EXPECT_EQ(active_isa(), isa);
    EXPECT_EQ(kernels().isa, isa);
    EXPECT_EQ(&kernels(), &kernels_for(isa));
  }
  use_isa(before);
}

// Each in a process of its own, because the variable is read once.
TEST(IsaDeathTest, HearthIsaForcesTheInstructionSet) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  for (Isa isa : available_isas()) {
    EXPECT_EXIT(
        {
          setenv("HEARTH_ISA", std::string(isa_name(isa)).c_str(), 1);
          std::exit(kernels().isa == isa ? 7 : 1);
        },
        testing::ExitedWithCode(7), "");
  }
}

TEST(IsaDeathTest, AnUnknownNameInHearthIsaIsNamedInTheError) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_EXIT(
      {
        setenv("HEARTH_ISA", "avx9", 1);
        try {
          active_isa();
        } catch (const std::invalid_argument& error) {
          std::exit(std::string(error.what()).find("'avx9'") != std::string::npos ? 7 : 1);
        }
      },
      testing::ExitedWithCode(7), "");
}

}  // namespace
}  // namespace hearth::cpu
