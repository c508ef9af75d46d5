# frozen_string_literal: true

# A client that retries by gRPC's own policy, and what the server saw of its attempts.

require 'json'
require_relative 'support'

module RetryCases
  MAX_ATTEMPTS = 4
  PUSHBACK_MS = 400 # far more than the policy's backoff
  UNAVAILABLE = GRPC::Core::StatusCodes::UNAVAILABLE
  SERVICE_CONFIG = {
    methodConfig: [{
      name: [{ service: 'lanekeeper.tests.Echo' }],
      retryPolicy: {
        maxAttempts: MAX_ATTEMPTS, initialBackoff: '0.01s', maxBackoff: '0.05s',
        backoffMultiplier: 2, retryableStatusCodes: ['UNAVAILABLE']
      },
    }],
  }.freeze

  module_function

  # Another channel to the same target, with the policy.
  def retrying(client)
    other = Client.new(client.target, 'grpc.service_config' => JSON.generate(SERVICE_CONFIG))
    yield other.echo
  ensure
    other&.channel&.close
  end

  # UNAVAILABLE, trailers only, for the first attempts.
  def script(fail_attempts:, pushback_ms: nil)
    trailers = pushback_ms ? [entry('grpc-retry-pushback-ms', pushback_ms.to_s)] : []
    Echo::Script.new(status_code: UNAVAILABLE, status_message: 'not yet',
                     fail_attempts: fail_attempts, trailing_metadata: trailers)
  end

  def check_attempts(client, id, want)
    got = client.journal(id).previous_attempts.to_a
    check(got == want, "the attempts' grpc-previous-rpc-attempts: got #{got}, want #{want}")
  end

  def check_fails(client, script, attempts)
    id = client.call_id
    ended = retrying(client) do |echo|
      finish(echo.unary(Echo::Request.new(script: script), metadata: { 'call-id' => id },
                                                           return_op: true))
    end
    check_status(ended, UNAVAILABLE, 'not yet')
    check_attempts(client, id, attempts)
    ended
  end

  def retry_trailers_only(client)
    request = Echo::Request.new(script: script(fail_attempts: 2), payload: 'again')
    retrying(client) do |echo|
      id = client.call_id
      got = echo.unary(request, metadata: { 'call-id' => id })
      check(got.payload == 'again', "Unary: got #{got}")
      check_attempts(client, id, ['', '1', '2'])

      # All of the requests are sent again.
      id = client.call_id
      total = echo.client_stream([request] * 3, metadata: { 'call-id' => id })
      check(total.messages == 3 && total.bytes == 15, "ClientStream: got #{total}")
      check_attempts(client, id, ['', '1', '2'])
    end
  end

  def retry_until_attempts_are_used_up(client)
    check_fails(client, script(fail_attempts: MAX_ATTEMPTS), ['', '1', '2', '3'])
  end

  def retry_after_pushback(client)
    id = client.call_id
    request = Echo::Request.new(script: script(fail_attempts: 1, pushback_ms: PUSHBACK_MS))
    begun = now
    retrying(client) { |echo| echo.unary(request, metadata: { 'call-id' => id }) }
    took = (now - begun) * 1000
    check(took >= PUSHBACK_MS - 2, "retried after #{took.round} ms, want #{PUSHBACK_MS}")
    check_attempts(client, id, ['', '1'])
  end

  def retry_forbidden_by_pushback(client)
    check_fails(client, script(fail_attempts: 2, pushback_ms: -1), [''])
  end

  # Headers commit a call, so an error that comes after them must not look trailers-only.
  def no_retry_after_headers(client)
    late = script(fail_attempts: 2)
    late.headers_at_once = true
    late.initial_metadata << entry('early', 'yes')
    ended = check_fails(client, late, [''])
    check_values('initial metadata', ended.headers['early'], 'early', ['yes'])
  end
end
