import com.google.protobuf.ByteString;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorSet;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.DescriptorValidationException;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.Message;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.protobuf.ProtoUtils;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The messages and methods of the suite, from the descriptor set at DESCRIPTORS: there is no generated code. */
final class Types {
    private static final Map<String, FileDescriptor> FILES = new HashMap<>();

    private Types() {}

    static void load() throws IOException, DescriptorValidationException {
        for (FileDescriptorProto file : FileDescriptorSet.parseFrom(Files.readAllBytes(Path.of(System.getenv("DESCRIPTORS")))).getFileList()) {
            FileDescriptor[] known = file.getDependencyList().stream().map(FILES::get).toArray(FileDescriptor[]::new);
            FILES.put(file.getName(), FileDescriptor.buildFrom(file, known));
        }
    }

    static Descriptor type(String name) {
        return FILES.get(name.equals("Payload") ? "interop/payload.proto" : "interop/interop.proto").findMessageTypeByName(name);
    }

    static MethodDescriptor<DynamicMessage, DynamicMessage> method(String name, MethodType type) {
        boolean empty = name.endsWith("/Nothing") || name.endsWith("/Missing");
        return MethodDescriptor.<DynamicMessage, DynamicMessage>newBuilder()
                .setType(type)
                .setFullMethodName(name)
                .setRequestMarshaller(ProtoUtils.marshaller(DynamicMessage.getDefaultInstance(type(empty ? "Empty" : "Request"))))
                .setResponseMarshaller(ProtoUtils.marshaller(DynamicMessage.getDefaultInstance(type(empty ? "Empty" : "Response"))))
                .build();
    }

    /** A message of these fields: name, value, name, value. */
    static DynamicMessage message(String name, Object... fields) {
        Descriptor type = type(name);
        DynamicMessage.Builder made = DynamicMessage.newBuilder(type);
        for (int place = 0; place < fields.length; place += 2) {
            made.setField(type.findFieldByName((String) fields[place]), fields[place + 1]);
        }
        return made.build();
    }

    static Object get(Message of, String name) {
        FieldDescriptor field = of.getDescriptorForType().findFieldByName(name);
        return of.getField(field);
    }

    static boolean has(Message of, String name) {
        return of.hasField(of.getDescriptorForType().findFieldByName(name));
    }

    @SuppressWarnings("unchecked")
    static List<Message> list(Message of, String name) {
        return (List<Message>) get(of, name);
    }

    static DynamicMessage payload(int size, Object text) {
        return message("Payload", "body", ByteString.copyFrom(new byte[size]), "text", text);
    }

    /** How long what a message carries is. */
    static int body(Message of) {
        return ((ByteString) get((Message) get(of, "payload"), "body")).size();
    }
}
