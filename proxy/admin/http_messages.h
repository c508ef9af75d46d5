// Messages of the admin API as HTTP has them: requests from the query of a URL or from JSON,
// answers as JSON, and what went wrong. Values only; any thread.
#pragma once

#include <google/protobuf/message.h>
#include <grpcpp/support/status.h>
#include <httplib.h>

#include <string>
#include <string_view>

#include "proxy/admin/proto_conversion.h"

namespace lanekeeper {

// With the error in its place if it cannot be written.
std::string ToJsonOrError(const google::protobuf::Message& message);
// An empty body is an empty message. INVALID_ARGUMENT for what is no JSON, has fields that the
// message has not, or values that they cannot have.
grpc::Status FromJson(const std::string& body, google::protobuf::Message* message);

// {"code":"NOT_FOUND","message":"..."}
std::string ErrorJson(std::string_view code, std::string_view message);

// Fills a response in: with the message, or with what went wrong.
void Respond(const grpc::Status& status, const google::protobuf::Message& message,
             httplib::Response& response);
void RespondError(const grpc::Status& status, httplib::Response& response);
// An error for which gRPC has no code of its own.
void RespondError(int http_status, const std::string& message, httplib::Response& response);

// INVALID_ARGUMENT, with what was expected, for a parameter that means nothing, is not known or
// comes twice: leaving it out would show what was not asked for.
grpc::Status ParseQuery(const httplib::Params& params, adminpb::ListStreamsRequest* request);
grpc::Status ParseQuery(const httplib::Params& params, adminpb::WatchStreamsRequest* request);
// For paths that take no parameters.
grpc::Status ParseNoQuery(const httplib::Params& params);

}  // namespace lanekeeper
