#include "tests/conformance/generated/generate_messages.h"

namespace lanekeeper::testing {
namespace {

constexpr size_t kMostBytes = 4 * 1024 * 1024;

size_t MessageBytes(Dice& dice) {
  switch (dice.Weighted({150, 400, 300, 110, 35, 4, 1})) {
    case 0:
      return 0;
    case 1:
      return dice.Between(1, 100);
    case 2:
      return dice.Between(101, kSmallBytes);
    case 3:
      return dice.Between(kSmallBytes + 1, 70000);
    case 4:
      return dice.Between(70001, 400000);
    case 5:
      return dice.Between(400001, kMostBytes);
    default:
      return kMostBytes;
  }
}

}  // namespace

std::vector<MessagePlan> GenerateMessages(Dice& dice, size_t count) {
  std::vector<MessagePlan> messages(count);
  for (MessagePlan& message : messages) {
    message.bytes = count > 10 ? dice.Below(200) : MessageBytes(dice);
    message.content = dice.Next();
    message.compressible = dice.Chance(70);
    message.leave_as_it_is = dice.Chance(30);
  }
  return messages;
}

}  // namespace lanekeeper::testing
