import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;
import org.apache.catalina.Context;
import org.apache.catalina.startup.Tomcat;
import org.springframework.context.annotation.AnnotatedBeanDefinitionReader;
import org.springframework.stereotype.Controller;
import org.springframework.util.AntPathMatcher;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.context.support.GenericWebApplicationContext;
import org.springframework.web.servlet.DispatcherServlet;
import org.springframework.web.servlet.mvc.method.annotation.RequestMappingHandlerAdapter;
import org.springframework.web.servlet.mvc.method.annotation.RequestMappingHandlerMapping;
import org.springframework.web.util.UrlPathHelper;

/** Spring MVC 4 on an embedded Tomcat: suffix patterns as by default, tokens trimmed and letter case ignored. */
public class Service {
  public static void main(String[] args) throws Exception {
    GenericWebApplicationContext context = new GenericWebApplicationContext();
    new AnnotatedBeanDefinitionReader(context).register(
        Handlers.class, Mapping.class, RequestMappingHandlerAdapter.class);
    Tomcat tomcat = new Tomcat();
    Path folder = Files.createTempDirectory("holdfast-tomcat-");
    tomcat.setBaseDir(folder.toString());
    tomcat.setHostname("127.0.0.1");
    tomcat.setPort(0);
    tomcat.getConnector().setProperty("address", "127.0.0.1");
    Context root = tomcat.addContext("", null);
    Tomcat.addServlet(root, "spring", new DispatcherServlet(context)).setLoadOnStartup(1);
    root.addServletMappingDecoded("/", "spring");
    tomcat.start();
    say("{\"event\":\"listening\",\"port\":" + tomcat.getConnector().getLocalPort() + "}");
    tomcat.getServer().await();
  }

  public static class Mapping extends RequestMappingHandlerMapping {
    public Mapping() {
      AntPathMatcher matcher = new AntPathMatcher();
      matcher.setTrimTokens(true);
      matcher.setCaseSensitive(false);
      setPathMatcher(matcher);
    }
  }

  @Controller
  public static class Handlers {
    @RequestMapping({"/admin", "/admin/**"})
    public void admin(HttpServletRequest request, HttpServletResponse response) throws IOException {
      answer(request, response, "admin");
    }

    @RequestMapping({"/bank", "/bank/{account}"})
    public void bank(HttpServletRequest request, HttpServletResponse response) throws IOException {
      answer(request, response, "bank");
    }

    @RequestMapping({"/keys", "/keys/{id}"})
    public void keys(HttpServletRequest request, HttpServletResponse response) throws IOException {
      answer(request, response, "keys");
    }

    @RequestMapping("/transfers")
    public void transfers(HttpServletRequest request, HttpServletResponse response) throws IOException {
      answer(request, response, "transfers");
    }

    @RequestMapping("/reports/export")
    public void report(HttpServletRequest request, HttpServletResponse response) throws IOException {
      answer(request, response, "report");
    }

    @RequestMapping("/**")
    public void open(HttpServletRequest request, HttpServletResponse response) throws IOException {
      answer(request, response, "open");
    }
  }

  private static void answer(HttpServletRequest request, HttpServletResponse response, String handler)
      throws IOException {
    String subject = request.getHeader("X-Auth-Subject");
    String served =
        "\"handler\":" + quote(handler)
            + ",\"path\":" + quote(new UrlPathHelper().getLookupPathForRequest(request))
            + ",\"method\":" + quote(request.getMethod())
            + ",\"target\":" + quote(request.getRequestURI())
            + ",\"subject\":" + (subject == null ? "null" : quote(subject));
    say("{\"event\":\"served\"," + served + "}");
    response.setContentType("application/json");
    response.getOutputStream().write(("{" + served + "}").getBytes(StandardCharsets.UTF_8));
  }

  private static String quote(String text) {
    StringBuilder quoted = new StringBuilder("\"");
    for (char c : text.toCharArray()) {
      if (c == '"' || c == '\\' || c < 0x20 || c > 0x7e) quoted.append(String.format("\\u%04x", (int) c));
      else quoted.append(c);
    }
    return quoted.append('"').toString();
  }

  private static synchronized void say(String line) {
    System.out.println(line);
    System.out.flush();
  }
}
