// Resolves and calls a dependency, then listens and calls itself.
package main

import (
	"bufio"
	"fmt"
	"net"
)

func main() {
	dependency, err := net.Dial("tcp", "api.replay.test:80")
	if err != nil {
		panic(err)
	}
	fmt.Fprintln(dependency, "hi")
	line, _ := bufio.NewReader(dependency).ReadString('\n')
	fmt.Print(line)
	fmt.Println(dependency.RemoteAddr())

	listener, err := net.Listen("tcp", ":0")
	if err != nil {
		panic(err)
	}
	done := make(chan bool)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			panic(err)
		}
		port := listener.Addr().(*net.TCPAddr).Port
		done <- conn.LocalAddr().(*net.TCPAddr).Port == port
	}()
	port := listener.Addr().(*net.TCPAddr).Port
	if _, err = net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err != nil {
		panic(err)
	}
	fmt.Println("self", <-done)
}
