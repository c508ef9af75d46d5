// A web server of several processes that share one listening socket; each calls the orders service.
// $WEB_CONCURRENCY says how many there are.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"github.com/golang/protobuf/ptypes/wrappers"
	"google.golang.org/grpc"
)

const (
	childVariable = "PREFORK_CHILD"
	listenerFile  = 3 // the first of exec.Cmd's ExtraFiles
)

func main() {
	if os.Getenv(childVariable) == "" {
		startWorkers()
	} else {
		work()
	}
}

func startWorkers() {
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Getenv("PORT"))
	check(err)
	file, err := listener.(*net.TCPListener).File()
	check(err)
	fmt.Printf("http://%v\n", listener.Addr())

	count, err := strconv.Atoi(os.Getenv("WEB_CONCURRENCY"))
	check(err)
	var workers []*exec.Cmd
	runtime.LockOSThread() // Pdeathsig tells of the thread that starts a worker, not of the process
	for i := 0; i < count; i++ {
		worker := exec.Command("/proc/self/exe")
		worker.Env = append(os.Environ(), childVariable+"=1")
		worker.ExtraFiles = []*os.File{file}
		worker.Stdout, worker.Stderr = os.Stdout, os.Stderr
		worker.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
		check(worker.Start())
		workers = append(workers, worker)
	}
	for _, worker := range workers {
		worker.Wait()
	}
}

func work() {
	conn, err := grpc.Dial(os.Getenv("ORDERS_GRPC_TARGET"), grpc.WithInsecure(), grpc.WithNoProxy())
	check(err)

	listener, err := net.FileListener(os.NewFile(listenerFile, "listener"))
	check(err)
	check(http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 20*time.Second)
		defer cancel()
		var order wrappers.StringValue
		// In yours: the generated client on this conn.
		err := conn.Invoke(ctx, "/shop.Orders/Get", &wrappers.StringValue{Value: "order 42"}, &order)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		fmt.Fprintf(w, "worker %d: %s\n", os.Getpid(), order.Value)
	})))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
