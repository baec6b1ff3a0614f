# Third-party libraries, each named once.  docs/DECISIONS.md says why each is
# here.  mbedTLS must be >= 3.6: scripts/setup.sh builds it where the system's
# is older, into build/deps/mbedtls.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(CRYPTO REQUIRED IMPORTED_TARGET libcrypto)
pkg_check_modules(CURL IMPORTED_TARGET libcurl)
pkg_check_modules(UV IMPORTED_TARGET libuv)
pkg_check_modules(QR REQUIRED IMPORTED_TARGET libqrencode)
pkg_check_modules(PANGO REQUIRED IMPORTED_TARGET pangocairo fontconfig)
pkg_check_modules(LOOK REQUIRED IMPORTED_TARGET libmagic libjpeg libpng
	libwebp)
pkg_check_modules(FILM REQUIRED IMPORTED_TARGET
	libavformat libavcodec libavutil zbar libseccomp)

set(MBEDTLS_ROOT "" CACHE PATH "Where mbedTLS >= 3.6 is installed")
if(NOT MBEDTLS_ROOT AND DEFINED ENV{MBEDTLS_ROOT})
	set(MBEDTLS_ROOT $ENV{MBEDTLS_ROOT})
endif()
if(NOT MBEDTLS_ROOT AND EXISTS ${CMAKE_SOURCE_DIR}/build/deps/mbedtls/include)
	set(MBEDTLS_ROOT ${CMAKE_SOURCE_DIR}/build/deps/mbedtls)
endif()
set(mbedtls_hints)
if(MBEDTLS_ROOT)
	set(mbedtls_hints HINTS ${MBEDTLS_ROOT}/include ${MBEDTLS_ROOT}/lib
		NO_DEFAULT_PATH)
endif()
find_path(MBEDTLS_INCLUDE mbedtls/ssl.h ${mbedtls_hints})
find_library(MBEDTLS_LIB mbedtls ${mbedtls_hints})
find_library(MBEDX509_LIB mbedx509 ${mbedtls_hints})
find_library(MBEDCRYPTO_LIB mbedcrypto ${mbedtls_hints})
if(NOT MBEDTLS_INCLUDE OR NOT MBEDTLS_LIB)
	message(FATAL_ERROR
		"mbedTLS >= 3.6 not found: run scripts/setup.sh, or give "
		"-DMBEDTLS_ROOT=<prefix>")
endif()
file(STRINGS ${MBEDTLS_INCLUDE}/mbedtls/build_info.h mbedtls_version
	REGEX "define MBEDTLS_VERSION_STRING ")
string(REGEX MATCH "[0-9]+\\.[0-9]+\\.[0-9]+" mbedtls_version
	"${mbedtls_version}")
if(mbedtls_version VERSION_LESS 3.6)
	message(FATAL_ERROR "mbedTLS ${mbedtls_version} is too old; 3.6 needed")
endif()
add_library(deps_mbedtls INTERFACE)
target_include_directories(deps_mbedtls SYSTEM INTERFACE ${MBEDTLS_INCLUDE})
# Our own build changes its configuration; its headers must see the same.
if(EXISTS ${MBEDTLS_INCLUDE}/daybreak_mbedtls_config.h)
	target_compile_definitions(deps_mbedtls INTERFACE
		MBEDTLS_USER_CONFIG_FILE="daybreak_mbedtls_config.h")
endif()
target_link_libraries(deps_mbedtls INTERFACE
	${MBEDTLS_LIB} ${MBEDX509_LIB} ${MBEDCRYPTO_LIB} Threads::Threads)

# HTTP/1.1: llhttp where the system has it (Debian 13), else http-parser.
find_path(LLHTTP_INCLUDE llhttp.h)
find_library(LLHTTP_LIB llhttp)
find_path(HTTP_PARSER_INCLUDE http_parser.h)
find_library(HTTP_PARSER_LIB http_parser)
add_library(deps_http INTERFACE)
if(LLHTTP_INCLUDE AND LLHTTP_LIB)
	target_compile_definitions(deps_http INTERFACE DAYBREAK_LLHTTP=1)
	target_include_directories(deps_http SYSTEM INTERFACE ${LLHTTP_INCLUDE})
	target_link_libraries(deps_http INTERFACE ${LLHTTP_LIB})
elseif(HTTP_PARSER_LIB)
	target_compile_definitions(deps_http INTERFACE DAYBREAK_LLHTTP=0)
	target_include_directories(deps_http SYSTEM INTERFACE
		${HTTP_PARSER_INCLUDE})
	target_link_libraries(deps_http INTERFACE ${HTTP_PARSER_LIB})
endif()

add_library(deps_common INTERFACE)
target_link_libraries(deps_common INTERFACE
	PkgConfig::SODIUM PkgConfig::SQLITE PkgConfig::ZSTD PkgConfig::CRYPTO
	Threads::Threads)
add_library(deps_pdf INTERFACE)
target_link_libraries(deps_pdf INTERFACE PkgConfig::PANGO PkgConfig::QR m)
add_library(deps_look INTERFACE)
target_link_libraries(deps_look INTERFACE PkgConfig::LOOK)
add_library(deps_film INTERFACE)
target_link_libraries(deps_film INTERFACE PkgConfig::FILM)
add_library(deps_agent INTERFACE)
target_link_libraries(deps_agent INTERFACE deps_mbedtls)
if(CURL_FOUND)
	target_link_libraries(deps_agent INTERFACE PkgConfig::CURL)
endif()
add_library(deps_server INTERFACE)
target_link_libraries(deps_server INTERFACE deps_mbedtls deps_http)
if(UV_FOUND)
	target_link_libraries(deps_server INTERFACE PkgConfig::UV)
endif()

pkg_check_modules(CMOCKA IMPORTED_TARGET cmocka)
