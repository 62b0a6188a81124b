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

std::string refused(const fs::path& name) {
  return refusal([&] { resolve_model(name.string(), {}); });
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

TEST_F(HubTest, SaysWhatAFileIsThatIsNoModel) {
  const fs::path folder = make_model(scratch_ / "model"), gguf = scratch_ / "x Q4.gguf", other = scratch_ / "weights";
  write_file_atomically(gguf, "damaged");
  EXPECT_EQ(refused(gguf), gguf.string() + ": a GGUF file; hearth convert --gguf '" + gguf.string() +
                               "' --mlx-path 'x Q4' makes a model folder of it");
  write_file_atomically(other, "GGUF\x03");
  EXPECT_THAT(refused(other), HasSubstr("weights: a GGUF file; hearth convert --gguf "));
  write_file_atomically(folder / "model.safetensors", "");
  EXPECT_EQ(refused(folder / "model.safetensors"), (folder / "model.safetensors").string() +
                                                       ": a file of weights, not a model's folder; --model " +
                                                       folder.string() + " is that");
  EXPECT_THAT(refused(folder / "config.json"), HasSubstr("config.json: a file, not a model's folder; --model "));
  write_file_atomically(scratch_ / "lone.safetensors", "");
  EXPECT_THAT(refused(scratch_ / "lone.safetensors"), HasSubstr("and no config.json lies beside it"));
}

TEST_F(HubTest, SaysWhichFileOfAFolderOfGgufsToConvert) {
  fs::create_directories(scratch_ / "ggufs");
  for (const char* name : {"m-00002-of-00002.gguf", "m-00001-of-00002.gguf", "README.md"})
    write_file_atomically(scratch_ / "ggufs" / name, "");
  EXPECT_THAT(refused(scratch_ / "ggufs"), HasSubstr("ggufs: holds no config.json but GGUF; hearth convert --gguf "));
  EXPECT_THAT(refused(scratch_ / "ggufs"), HasSubstr("m-00001-of-00002.gguf --mlx-path"));
}

TEST_F(HubTest, SaysWhichSnapshotOfARepositorysFolderIsTheModel) {
  const fs::path repository = scratch_ / "models--org--name", snapshots = repository / "snapshots";
  fs::create_directories(snapshots / "000");
  EXPECT_THAT(refused(repository), HasSubstr("none of its snapshots has a config.json: the model was not downloaded"));
  make_model(snapshots / "abc");
  EXPECT_EQ(refused(repository),
            repository.string() +
                ": a repository's folder of Hugging Face's cache; the model is its snapshot: --model " +
                (snapshots / "abc").string());
  make_model(snapshots / "def");
  fs::create_directories(repository / "refs");
  write_file_atomically(repository / "refs/main", "def");
  EXPECT_THAT(refused(repository), testing::EndsWith("--model " + (snapshots / "def").string()));
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
