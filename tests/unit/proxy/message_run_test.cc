#include "proxy/rpc/message_run.h"

#include <grpc/slice.h>
#include <gtest/gtest.h>

#include <span>
#include <string>

namespace lanekeeper {
namespace {

Message Of(const std::string& bytes, grpc_compression_algorithm algorithm = GRPC_COMPRESS_NONE) {
  grpc_slice slice = grpc_slice_from_copied_buffer(bytes.data(), bytes.size());
  Message message(grpc_raw_compressed_byte_buffer_create(&slice, 1, algorithm));
  grpc_slice_unref(slice);
  return message;
}

std::string BytesOf(const Message& message) {
  std::string bytes;
  const grpc_slice_buffer& buffer = message.get()->data.raw.slice_buffer;
  for (const grpc_slice& slice : std::span(buffer.slices, buffer.count)) {
    bytes.append(reinterpret_cast<const char*>(GRPC_SLICE_START_PTR(slice)),
                 GRPC_SLICE_LENGTH(slice));
  }
  return bytes;
}

TEST(MessageRun, OneMessageIsHandedOnAsItIs) {
  Message message = Of(std::string(100'000, 'x'));
  const grpc_byte_buffer* const buffer = message.get();
  MessageRun run(std::move(message));
  EXPECT_EQ(run.count().messages, 1u);
  EXPECT_EQ(run.count().bytes, 100'000u);
  EXPECT_EQ(run.Join().get(), buffer);
  EXPECT_FALSE(run);
}

TEST(MessageRun, SeveralAreFramedBehindTheFirst) {
  MessageRun run(Of("first"));
  ASSERT_TRUE(run.Takes(0));
  run.Add(Of(""));
  run.Add(Of("third", GRPC_COMPRESS_GZIP));
  EXPECT_EQ(run.count().messages, 3u);
  EXPECT_EQ(run.count().bytes, 10u);
  const Message joined = run.Join();
  EXPECT_EQ(joined.size_bytes(), 5u);  // what core writes in front of it all
  EXPECT_FALSE(joined.compressed());
  EXPECT_EQ(BytesOf(joined), std::string("first") + std::string("\0\0\0\0\0", 5) +
                                 std::string("\1\0\0\0\5", 5) + "third");
  EXPECT_FALSE(run);
  EXPECT_EQ(run.count().messages, 0u);
}

TEST(MessageRun, TheLengthInFrontOfALongOneIsRight) {
  MessageRun run(Of("x"));
  run.Add(Of(std::string(MessageRun::kMessageBytesMax, 'y')));
  EXPECT_EQ(BytesOf(run.Join()).substr(1, 5), std::string("\0\0\0\x08\0", 5));
}

TEST(MessageRun, ACopyHasTheSameMessages) {
  MessageRun run(Of("a", GRPC_COMPRESS_GZIP));
  run.Add(Of("b"));
  MessageRun copy = run.Share();
  const Message first = run.Join();
  const Message second = copy.Join();
  EXPECT_EQ(BytesOf(first), BytesOf(second));
  EXPECT_EQ(second.size_bytes(), 1u);
  EXPECT_TRUE(second.compressed());
}

TEST(MessageRun, TheLastIsTakenOnlyFromBehindAnother) {
  MessageRun run(Of("one"));
  EXPECT_FALSE(run.TakeLast());
  run.Add(Of("two"));
  run.Add(Of("three"));
  EXPECT_EQ(BytesOf(run.TakeLast()), "three");
  EXPECT_EQ(run.count().messages, 2u);
  EXPECT_EQ(run.count().bytes, 6u);
  EXPECT_EQ(BytesOf(run.TakeLast()), "two");
  EXPECT_FALSE(run.TakeLast());
  EXPECT_EQ(BytesOf(run.Join()), "one");
}

TEST(MessageRun, TakesNoMoreThanItsBounds) {
  EXPECT_FALSE(MessageRun().Takes(1));
  EXPECT_FALSE(MessageRun(Of("x")).Takes(MessageRun::kMessageBytesMax + 1));
  EXPECT_FALSE(MessageRun(Of(std::string(MessageRun::kMessageBytesMax + 1, 'x'))).Takes(1));

  MessageRun many(Of("x"));
  while (many.Takes(1)) many.Add(Of("x"));
  EXPECT_EQ(many.count().messages, MessageRun::kMessagesMax);

  MessageRun large(Of("x"));
  while (large.Takes(MessageRun::kMessageBytesMax)) {
    large.Add(Of(std::string(MessageRun::kMessageBytesMax, 'x')));
  }
  EXPECT_LE(large.count().bytes, MessageRun::kBytesMax);
  EXPECT_GT(large.count().bytes, MessageRun::kBytesMax - MessageRun::kMessageBytesMax);
}

}  // namespace
}  // namespace lanekeeper
