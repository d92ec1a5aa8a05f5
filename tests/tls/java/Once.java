// Prints what a server answers, by Java's own client and as Java is without any option.

import java.io.IOException;
import java.net.URL;
import java.nio.charset.StandardCharsets;

public final class Once {
    public static void main(String[] words) throws IOException {
        try (var body = new URL(words[0]).openStream()) {
            System.out.println(new String(body.readAllBytes(), StandardCharsets.UTF_8));
        }
    }
}
