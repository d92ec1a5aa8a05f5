// Sends the mail on standard input to PORT as `clerk`: client-go PORT RECIPIENT.
package main

import (
	"fmt"
	"io"
	"net/smtp"
	"os"
)

func main() {
	letter, err := io.ReadAll(os.Stdin)
	if err == nil {
		login := smtp.PlainAuth("", "clerk", os.Getenv("MAIL_PASSWORD"), "127.0.0.1")
		err = smtp.SendMail("127.0.0.1:"+os.Args[1], login, "shop@example.org", os.Args[2:3], letter)
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("sent the letter of ann")
}
