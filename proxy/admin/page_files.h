// The files of the live page (proxy/admin/page/), as they were when this was built. Constants; any
// thread. The definition is generated: see embed_files.cmake.
#pragma once

#include <span>
#include <string_view>

namespace lanekeeper {

struct PageFile {
  std::string_view name;  // "index.html"
  std::string_view bytes;
};

std::span<const PageFile> PageFiles();

}  // namespace lanekeeper
