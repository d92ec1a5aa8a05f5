// Tests of JUnit that leave their names in a file.
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;

class ShopTest {
  static void name(String name) throws Exception {
    String folder = System.getenv("REHEARSAL_TESTS");
    if (folder != null) {
      Files.writeString(Path.of(folder, String.valueOf(ProcessHandle.current().pid())), name);
    }
  }

  @BeforeEach
  void begin(TestInfo test) throws Exception {
    name(test.getDisplayName());
  }

  @AfterEach
  void end() throws Exception {
    name("");
  }

  String rate() throws Exception {
    URI uri = URI.create(System.getenv("PAYMENTS") + "/rate");
    HttpRequest request = HttpRequest.newBuilder(uri).version(HttpClient.Version.HTTP_1_1).build();
    return HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body();
  }

  void rates(String name) throws Exception {
    String line = "[\"" + name + "\", [" + rate() + ", " + rate() + "]]\n";
    Files.writeString(Path.of(System.getenv("SEEN")), line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
  }

  @Test
  void one() throws Exception {
    rates("one");
  }

  @Test
  void two() throws Exception {
    rates("two");
  }

  @Test
  void aServerOfItsOwn() throws Exception {
    try (ServerSocket server = new ServerSocket(0)) {
      Thread thread = new Thread(() -> {
        try (Socket client = server.accept()) {
          client.getOutputStream().write(7);
        } catch (Exception broken) {
          throw new RuntimeException(broken);
        }
      });
      thread.start();
      try (Socket client = new Socket("127.0.0.1", server.getLocalPort())) {
        assertEquals(7, client.getInputStream().read());
      }
      thread.join();
    }
  }
}
