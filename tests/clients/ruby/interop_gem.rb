# frozen_string_literal: true

require 'grpc'

# A file of gRPC's own interop programs, which Debian's ruby-grpc ships beside the library.
def interop_program(name)
  library = $LOADED_FEATURES.grep(%r{/src/ruby/lib/grpc\.rb\z}).fetch(0)
  File.expand_path("../pb/test/#{name}", File.dirname(library))
end
