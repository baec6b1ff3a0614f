# Data files that live inside the programs: kinds, rules, dictionaries, pages.
# Each becomes a row {name, bytes, length} of `embedded_files` (base/embed.h).
set(EMBED_SCRIPT ${CMAKE_SOURCE_DIR}/cmake/embed_file.cmake)

function(embed_data target)
	file(GLOB_RECURSE data CONFIGURE_DEPENDS
		RELATIVE ${CMAKE_SOURCE_DIR}/common
		common/kinds/*.json common/rules/*.json common/forms/*.json common/i18n/*.json
		common/dict/*.dict common/web/*.html common/web/*.css common/web/*.js)
	list(SORT data)
	set(out ${CMAKE_BINARY_DIR}/embedded_files.c)
	set(inputs)
	foreach(f ${data})
		list(APPEND inputs ${CMAKE_SOURCE_DIR}/common/${f})
	endforeach()
	string(JOIN "|" names ${data})
	add_custom_command(OUTPUT ${out}
		COMMAND ${CMAKE_COMMAND} -DROOT=${CMAKE_SOURCE_DIR}/common
			"-DNAMES=${names}" -DOUT=${out} -P ${EMBED_SCRIPT}
		DEPENDS ${inputs} ${EMBED_SCRIPT} VERBATIM)
	target_sources(${target} PRIVATE ${out})
endfunction()
