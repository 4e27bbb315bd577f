package shop;

import com.nimbusds.jose.jwk.JWK;
import java.nio.file.Files;
import java.nio.file.Path;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Profile;
import org.springframework.security.oauth2.client.endpoint.NimbusJwtClientAuthenticationParametersConverter;
import org.springframework.security.oauth2.client.endpoint.OAuth2AccessTokenResponseClient;
import org.springframework.security.oauth2.client.endpoint.OAuth2AuthorizationCodeGrantRequest;
import org.springframework.security.oauth2.client.endpoint.RestClientAuthorizationCodeTokenResponseClient;

/** Signs with a key of its own where it would show a secret. */
@Configuration
@Profile("keys")
class Keys {
  @Bean
  OAuth2AccessTokenResponseClient<OAuth2AuthorizationCodeGrantRequest> tokens(@Value("${shop.key}") Path file)
      throws Exception {
    var key = JWK.parse(Files.readString(file));
    var tokens = new RestClientAuthorizationCodeTokenResponseClient();
    tokens.addParametersConverter(new NimbusJwtClientAuthenticationParametersConverter<>(registration -> key));
    return tokens;
  }
}
