package shop;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.security.core.annotation.AuthenticationPrincipal;
import org.springframework.security.oauth2.core.ClaimAccessor;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** A web application or an API: whichever its properties make of it. */
@SpringBootApplication
@RestController
public class Shop {
  public static void main(String[] arguments) {
    SpringApplication.run(Shop.class, arguments);
  }

  @GetMapping("/")
  String who(@AuthenticationPrincipal ClaimAccessor claims) {
    return claims.getClaimAsString("sub") + " " + claims.getClaimAsString("email");
  }
}
