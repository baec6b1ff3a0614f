# One interface target carries warnings, hardening and sanitizers.
add_library(daybreak_flags INTERFACE)
target_compile_definitions(daybreak_flags INTERFACE
	_GNU_SOURCE DAYBREAK_VERSION="${PROJECT_VERSION}")
target_compile_options(daybreak_flags INTERFACE
	-Wall -Wextra -Wconversion -Wsign-conversion -Wshadow
	-Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef -Wcast-qual
	-Wwrite-strings -Wformat=2 -Wimplicit-fallthrough
	-fno-strict-aliasing -fstack-protector-strong -fPIE
	-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
target_link_options(daybreak_flags INTERFACE -pie -Wl,-z,relro,-z,now)

if(DAYBREAK_WERROR)
	target_compile_options(daybreak_flags INTERFACE -Werror)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT DAYBREAK_SANITIZE)
	target_compile_definitions(daybreak_flags INTERFACE _FORTIFY_SOURCE=2)
endif()
# Asserts state what must hold; they stay on in release.
foreach(config RELEASE RELWITHDEBINFO MINSIZEREL)
	string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_${config}
		"${CMAKE_C_FLAGS_${config}}")
endforeach()

if(DAYBREAK_SANITIZE)
	target_compile_options(daybreak_flags INTERFACE
		-fsanitize=${DAYBREAK_SANITIZE} -fno-sanitize-recover=all
		-fno-omit-frame-pointer)
	target_link_options(daybreak_flags INTERFACE
		-fsanitize=${DAYBREAK_SANITIZE})
endif()
if(DAYBREAK_FUZZ)
	target_compile_options(daybreak_flags INTERFACE
		-fsanitize=fuzzer-no-link)
endif()
if(DAYBREAK_COVERAGE)
	target_compile_options(daybreak_flags INTERFACE --coverage -O0)
	target_link_options(daybreak_flags INTERFACE --coverage)
endif()
