package main

import (
	"context"
	"io"
	"time"

	"lanekeeper/tests/clients/go/shared"
	"lanekeeper/tests/clients/protos/echo"

	"github.com/golang/protobuf/proto"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

type echoServer struct {
	journal *journal
}

func (s *echoServer) Journal(_ context.Context, req *echo.JournalRequest) (*echo.JournalEntry, error) {
	return s.journal.find(req.CallId), nil
}

func (s *echoServer) Unary(ctx context.Context, req *echo.Request) (*echo.Response, error) {
	record := s.journal.open(ctx)
	defer record.close()
	record.message()
	script := req.GetScript()
	if err := begin(ctx, script); err != nil {
		return nil, err
	}
	if err := end(script, record); err != nil {
		return nil, err
	}
	return response(req, 0), nil
}

func (s *echoServer) ServerStream(req *echo.Request, stream echo.Echo_ServerStreamServer) error {
	record := s.journal.open(stream.Context())
	defer record.close()
	record.message()
	script := req.GetScript()
	if err := begin(stream.Context(), script); err != nil {
		return err
	}
	for i := uint32(0); i < script.GetResponseCount(); i++ {
		if err := stream.Send(response(req, i)); err != nil {
			return err
		}
	}
	return end(script, record)
}

func (s *echoServer) ClientStream(stream echo.Echo_ClientStreamServer) error {
	record := s.journal.open(stream.Context())
	defer record.close()
	script, err := scriptFromMetadata(stream.Context())
	if err != nil {
		return err
	}
	begun := false
	if script != nil {
		begun = true
		if err := begin(stream.Context(), script); err != nil {
			return err
		}
	}
	total := &echo.Response{}
	for {
		req, err := stream.Recv()
		if err == io.EOF {
			record.halfClose()
			break
		}
		if err != nil {
			return err
		}
		record.message()
		if !begun {
			begun = true
			script = req.GetScript()
			if err := begin(stream.Context(), script); err != nil {
				return err
			}
		}
		total.Messages++
		total.Bytes += uint64(len(req.Payload))
	}
	if err := end(script, record); err != nil {
		return err
	}
	return stream.SendAndClose(total)
}

func (s *echoServer) Bidi(stream echo.Echo_BidiServer) error {
	record := s.journal.open(stream.Context())
	defer record.close()
	script, err := scriptFromMetadata(stream.Context())
	if err != nil {
		return err
	}
	begun := false
	if script != nil {
		begun = true
		if err := begin(stream.Context(), script); err != nil {
			return err
		}
	}
	last, sent := &echo.Request{}, uint32(0)
	for {
		req, err := stream.Recv()
		if err == io.EOF {
			record.halfClose()
			break
		}
		if err != nil {
			return err
		}
		record.message()
		if !begun {
			begun = true
			script = req.GetScript()
			if err := begin(stream.Context(), script); err != nil {
				return err
			}
		}
		if err := stream.Send(response(req, sent)); err != nil {
			return err
		}
		last = req
		sent++
		if script.GetEndAfter() == sent {
			return end(script, record)
		}
	}
	for i := uint32(0); i < script.GetResponseCount(); i++ {
		if err := stream.Send(response(last, sent)); err != nil {
			return err
		}
		sent++
	}
	return end(script, record)
}

func scriptFromMetadata(ctx context.Context) (*echo.Script, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	values := md.Get("script-bin")
	if len(values) == 0 {
		return nil, nil
	}
	script := &echo.Script{}
	if err := proto.Unmarshal([]byte(values[0]), script); err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "script-bin: %v", err)
	}
	return script, nil
}

// begin does all of the script that comes before the first response.
func begin(ctx context.Context, script *echo.Script) error {
	if err := grpc.SetTrailer(ctx, shared.ToMetadata(script.GetTrailingMetadata())); err != nil {
		return err
	}
	sendHeader := grpc.SetHeader
	if script.GetHeadersAtOnce() {
		sendHeader = grpc.SendHeader
	}
	if err := sendHeader(ctx, shared.ToMetadata(script.GetInitialMetadata())); err != nil {
		return err
	}
	if script.GetBlockUntilCancelled() {
		<-ctx.Done()
		return gone(ctx)
	}
	if script.GetDelayMs() > 0 {
		select {
		case <-time.After(time.Duration(script.GetDelayMs()) * time.Millisecond):
		case <-ctx.Done():
			return gone(ctx)
		}
	}
	return nil
}

// gone is the status of a call whose client has left or whose deadline is over. The deadline can pass
// here before it does at the client, so the client may see it.
func gone(ctx context.Context) error {
	return status.FromContextError(ctx.Err()).Err()
}

// end is the script's status.
func end(script *echo.Script, record *record) error {
	if script.GetStatusCode() == 0 {
		return nil
	}
	if fail := int(script.GetFailAttempts()); fail > 0 && record.attempts() > fail {
		return nil
	}
	if len(script.GetStatusDetails()) > 0 {
		// grpc-go drops grpc-status-details-bin from trailers and writes its own from the status.
		rich := &spb.Status{}
		if err := proto.Unmarshal(script.GetStatusDetails(), rich); err != nil {
			return status.Errorf(codes.InvalidArgument, "status_details: %v", err)
		}
		return status.ErrorProto(rich)
	}
	return status.Error(codes.Code(script.GetStatusCode()), script.GetStatusMessage())
}

func response(req *echo.Request, index uint32) *echo.Response {
	payload := req.Payload
	if req.ResponseBytes > 0 {
		payload = shared.Pattern(int(req.ResponseBytes))
	}
	return &echo.Response{Payload: payload, Index: index}
}
