#include "weights/hub.h"

#include <gmock/gmock.h>

#include "base/file.h"
#include "weights/scratch_folder_test.h"

namespace hearth::weights {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

fs::path make_model(const fs::path& folder) {
  fs::create_directories(folder);
  write_file_atomically(folder / "config.json", "{}");
  return folder;
}

class HubTest : public testing::Test {
 protected:
  ScratchFolder scratch_;
  HubFolders folders_{.hearth_models = scratch_ / "models", .hugging_face_hub = scratch_ / "hub"};
};

TEST_F(HubTest, TakesAFolderAsItIs) { EXPECT_EQ(resolve_model(scratch_.path().string(), folders_), scratch_.path()); }

TEST_F(HubTest, FindsHearthsOwnModelsFirst) {
  const fs::path own = make_model(folders_.hearth_models / "org" / "name");
  make_model(folders_.hugging_face_hub / "models--org--name/snapshots/main");
  EXPECT_EQ(resolve_model("org/name", folders_), own);
}

TEST_F(HubTest, FollowsARevisionToItsSnapshot) {
  const fs::path repository = folders_.hugging_face_hub / "models--org--name";
  const fs::path snapshot = make_model(repository / "snapshots/abc123");
  fs::create_directories(repository / "refs");
  write_file_atomically(repository / "refs/main", "abc123\n");
  EXPECT_EQ(resolve_model("org/name", folders_), snapshot);
  EXPECT_EQ(resolve_model("org/name", folders_, "abc123"), snapshot);
  EXPECT_THAT(refusal([&] { resolve_model("org/name", folders_, "v2"); }), HasSubstr("no snapshot 'v2'"));
}

TEST_F(HubTest, SaysInOneLineWhereItLooked) {
  const std::string said = refusal([&] { resolve_model("org/none", folders_); });
  EXPECT_EQ(said, "org/none: no such folder, nothing of that name in " + folders_.hearth_models.string() +
                      ", no snapshot 'main' of it in " + folders_.hugging_face_hub.string());
  EXPECT_EQ(refusal([&] { resolve_model("", {}); }), "model: no such folder");
}

TEST_F(HubTest, DoesNotClimbOutOfItsFolders) {
  make_model(scratch_ / "secret");
  for (const char* name : {"../secret", "a/../../secret", "/x", "./secret"})
    EXPECT_NE(refusal([&] { resolve_model(name, folders_); }), "") << name;
  const fs::path repository = folders_.hugging_face_hub / "models--o--n";
  fs::create_directories(repository / "refs");
  write_file_atomically(repository / "refs/main", "../../../secret");
  EXPECT_NE(refusal([&] { resolve_model("o/n", folders_); }), "");
}

}  // namespace
}  // namespace hearth::weights
