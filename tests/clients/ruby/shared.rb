# frozen_string_literal: true

# What the Ruby programs must agree on with those of the other languages.

$LOAD_PATH.unshift(__dir__) # the *_pb.rb files are generated at build time beside this file
require 'grpc'
require 'echo_services_pb'
require 'helloworld_services_pb'
require 'routeguide_services_pb'

Echo = Lanekeeper::Tests

UNLIMITED = {
  'grpc.max_receive_message_length' => -1,
  'grpc.max_send_message_length' => -1,
}.freeze

# The map; see routeguide.proto.
FEATURES = Array.new(25) do |i|
  location = Routeguide::Point.new(latitude: 400_000_000 + i * 1_000_000,
                                   longitude: -750_000_000 + i * 500_000)
  Routeguide::Feature.new(name: "Feature #{i}", location: location)
end

PATTERN_UNIT = Array.new(251) { |i| (i * 31 + 7) % 251 }.pack('C*').freeze

# `size` bytes that are not all alike, the same in every language.
def pattern(size)
  (PATTERN_UNIT * (size / PATTERN_UNIT.size + 1))[0, size]
end

# The length of one leg of a route.
def distance(one, other)
  (one.latitude - other.latitude).abs + (one.longitude - other.longitude).abs
end

def entry(key, value)
  Echo::Entry.new(key: key, value: value.b)
end
