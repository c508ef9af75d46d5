# frozen_string_literal: true

# What the client's cases share: the channel, calls that are looked at from all sides, checks.

require_relative 'shared'

RPC_TIMEOUT = 20 # seconds; no RPC of a case may take longer: it bounds every wait

# Plaintext, or TLS to who is certified by the authority in $TLS_CA; by $TLS_CERTIFICATE and its
# $TLS_KEY, if there are any, we say who we are.
def security
  return :this_channel_is_insecure unless ENV['TLS_CA']

  files = ENV.values_at('TLS_CA', 'TLS_KEY', 'TLS_CERTIFICATE').compact
  GRPC::Core::ChannelCredentials.new(*files.map { |file| File.read(file) })
end

SECURITY = security

class CheckFailed < StandardError; end

def check(good, why)
  raise CheckFailed, why unless good
end

class Client
  attr_reader :target, :channel, :greeter, :guide, :echo

  @calls = 0
  class << self
    attr_accessor :calls
  end

  def initialize(target, channel_args = {})
    @target = target
    @channel = GRPC::Core::Channel.new(target, UNLIMITED.merge(channel_args), SECURITY)
    @greeter = stub(Helloworld::Greeter)
    @guide = stub(Routeguide::RouteGuide)
    @echo = stub(Echo::Echo)
  end

  # A new id, under which the server's journal keeps the call that carries it.
  def call_id
    "ruby-#{Process.pid}-#{Client.calls += 1}"
  end

  def journal(id)
    echo.journal(Echo::JournalRequest.new(call_id: id))
  end

  # Polls the journal until the server saw the call's cancellation.
  def await_cancelled(id)
    bound = now + 10
    until (entry = journal(id)).cancelled
      check(!entry.ended, 'the server ended the call without seeing the cancellation')
      check(now < bound, "the server saw no cancellation in 10 s (it saw the call: #{entry.known})")
      sleep 0.02
    end
  end

  private

  def stub(service)
    service::Stub.new(target, SECURITY, channel_override: channel, timeout: RPC_TIMEOUT)
  end
end

# Seconds of a clock that nobody sets.
def now
  Process.clock_gettime(Process::CLOCK_MONOTONIC)
end

# A finished call: its response, or nil, and all that came with it.
Ended = Struct.new(:response, :headers, :trailers, :code, :message)

# Runs a unary-response operation (return_op: true) to its end, whatever that is.
def finish(operation)
  response = operation.execute
  Ended.new(response, operation.metadata, operation.trailing_metadata, 0, '')
rescue GRPC::BadStatus => e
  Ended.new(nil, operation.metadata, e.metadata, e.code, e.details)
end

# The status that the block's call ends with.
def status_of
  yield
  Ended.new(nil, nil, nil, 0, '')
rescue GRPC::BadStatus => e
  Ended.new(nil, nil, e.metadata, e.code, e.details)
end

# A bidirectional stream that is written and read step by step.
class Stream
  # Hands the stream to the block; its writer thread ends with the block.
  def self.open(stub, method, **options)
    stream = new(stub, method, **options)
    yield stream
  ensure
    stream&.half_close
  end

  def initialize(stub, method, **options)
    @requests = Queue.new
    requests = Enumerator.new do |sink|
      while (request = @requests.pop) # nil: closed and empty
        sink << request
      end
    end
    @operation = stub.public_send(method, requests, return_op: true, **options)
    @responses = @operation.execute
  end

  def write(request)
    @requests << request
  end

  def half_close
    @requests.close
  end

  # The next response. Raises StopIteration at an end with OK, else what the status is.
  def read
    @responses.next
  end

  def cancel
    @operation.cancel
  end

  def expect_end
    extra = read
    raise CheckFailed, "a response too many: #{extra}"
  rescue StopIteration
    nil
  end
end

def check_status(ended, code, message = nil)
  check(ended.code == code, "status #{ended.code} (#{ended.message.inspect}), want #{code}")
  return if message.nil?

  # Ruby gets the message as bytes without an encoding.
  check(ended.message.b == message.b,
        "status message #{ended.message.inspect}, want #{message.inspect}")
end

def check_payload(response, size)
  check(response.payload == pattern(size),
        "wrong payload: #{response.payload.size} bytes, want the pattern of #{size}")
end

def check_responses(responses, count, size)
  received = 0
  responses.each do |response|
    check(response.index == received, "got response #{response.index} as number #{received}")
    check_payload(response, size)
    received += 1
  end
  check(received == count, "#{received} responses, want #{count}")
end

# The values of one key, in order. A Node server cannot tell repeated ASCII keys apart: Node's http2
# module joins them with ", " before grpc-js sees them, so pass joined: true for it.
def check_values(where, got, key, want, joined: false)
  got = Array(got).map(&:b)
  want = want.map(&:b)
  got, want = [got, want].map { |values| [values.join(', ')] } if joined && !key.end_with?('-bin')
  check(got == want, "#{where}, key #{key}: got #{got}, want #{want}")
end
